// Comes with a dump of the store, with the key ring, or with both, and wants to be somebody, or their tokens (promise 6).
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { encodeTicket } from '../../../src/auth/cookie.ts';
import { createKeyRing } from '../../../src/auth/keys.ts';
import { openListing } from '../../../src/auth/session/record.ts';
import type { KeyRing } from '../../../src/model/settings.ts';
import type { StoredRecord } from '../../../src/sessions/store.ts';
import { appHost, asCookie, authHost, fullSession, layGround, otherHost, sessionValue, visit } from '../login/rig.ts';
import type { Ground } from '../login/rig.ts';

async function steal(ground: Ground) {
  const { house, victim } = ground;
  await visit(victim, `https://${appHost}/`);
  const { session, tokens } = await fullSession(victim);
  const record = house.watched.records.get(session.id);
  assert(record);
  return { record, tokens: Object.values(tokens) };
}

/** Secrets that somebody could think of who has this. */
function guesses({ id, listing, body, index }: StoredRecord, ring: KeyRing): readonly Uint8Array[] {
  const texts = [id, listing, body, ...Object.values(index)];
  const found = texts.flatMap((text) => text.split('.')).map((text) => Buffer.from(text, 'base64url'));
  return [...found, ring[0].secret.reveal(), new Uint8Array(32), randomBytes(32)].map((bytes) => bytes.subarray(0, 32));
}

async function assertShut({ house }: Ground, record: StoredRecord, ring: KeyRing): Promise<void> {
  for (const secret of guesses(record, ring)) {
    for (const host of [appHost, otherHost, authHost]) {
      for (const isAuthenticationHost of [true, false]) {
        const value = encodeTicket(ring, { id: record.id, secret }, host, isAuthenticationHost);
        assert.equal(await house.authority.open(host, asCookie(value)), undefined);
      }
    }
  }
}

test('a dump alone makes no cookie, and shows nobody', async (t) => {
  const ground = await layGround(t);
  const { record, tokens } = await steal(ground);
  await assertShut(ground, record, createKeyRing());
  const dump = Buffer.from(JSON.stringify(record)).toString('latin1');
  for (const text of [...tokens, 'ana', 'example.com', 'engineering']) assert.equal(dump.includes(text), false, text);
});

test('the ring alone makes cookies that open nothing', async (t) => {
  const ground = await layGround(t);
  const { record } = await steal(ground);
  const { ring } = ground.house;
  const unknown = { ...record, id: randomBytes(16).toString('base64url') };
  await assertShut(ground, unknown, ring);
});

test('both together show who is signed in, and neither let anybody in nor open a token', async (t) => {
  const ground = await layGround(t);
  const { record } = await steal(ground);
  const { ring } = ground.house;
  await assertShut(ground, record, ring);
  assert.equal(openListing(ring, record)?.person, 'ana@example.com');
  assert.doesNotMatch(JSON.stringify(openListing(ring, record)), /oken/);
});

test('who can write to the store puts no end off, and swaps nothing between two sessions', async (t) => {
  const ground = await layGround(t);
  const { house, victim, attacker, provider } = ground;
  const { record } = await steal(ground);
  provider.behaviour.claims = { sub: 'eve', email: 'eve@example.org' };
  await visit(attacker, `https://${appHost}/`);
  const other = house.watched.records.get((await fullSession(attacker)).session.id);
  assert(other);
  const { store } = house.watched;
  const cookies = [victim, attacker].map((browser) => asCookie(sessionValue(browser, appHost)));
  const changes: Record<string, StoredRecord> = {
    'a later end': { ...record, expiresAt: record.expiresAt + 1 },
    'an earlier end': { ...record, expiresAt: record.expiresAt - 1 },
    "the other's body": { ...record, body: other.body },
    "the other's body and end": { ...record, body: other.body, expiresAt: other.expiresAt },
    'everything of the other': { ...other, id: record.id },
  };
  for (const [what, changed] of Object.entries(changes)) {
    const before = await store.read('session', record.id);
    assert(before && (await store.replace(changed, before.revision)), what);
    for (const cookie of cookies) {
      const opened = await house.authority.open(appHost, cookie);
      const id = opened !== undefined && 'session' in opened ? opened.session.id : undefined;
      assert.notEqual(id, record.id, what);
    }
    const after = await store.read('session', record.id);
    assert(after && (await store.replace(record, after.revision)));
  }
  assert.equal(openListing(house.ring, { ...record, listing: other.listing }), undefined);
  const [own] = cookies;
  assert(own && (await house.authority.open(appHost, own)) !== undefined);
});
