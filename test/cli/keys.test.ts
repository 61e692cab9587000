// `sallyport keys`, as a person runs it: a ring from nothing, and its rotation, which no verifier notices.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { assertionLifetimeMs, jwks, signAssertion } from '../../src/auth/assertion.ts';
import { createKeyRing } from '../../src/auth/keys.ts';
import { keySetMs, rotate } from '../../src/auth/rotation.ts';
import type { RotationStep } from '../../src/auth/rotation.ts';
import type { Session } from '../../src/model/identity.ts';
import type { KeyRing } from '../../src/model/settings.ts';
import { parseKeyRing } from '../../src/translate/keyring.ts';

const root = join(import.meta.dirname, '../..');

function keys(step: string, input: string, ...flags: string[]) {
  return spawnSync(join(root, 'bin/sallyport'), ['keys', step, ...flags], { encoding: 'utf8', cwd: root, input });
}

interface Secret {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string };
  readonly data: Readonly<Record<string, string>>;
}

function ringOf(secret: string): KeyRing {
  const { data } = JSON.parse(secret) as Secret;
  const ring = parseKeyRing(Buffer.from(data['keys.json'] ?? '', 'base64').toString());
  assert(typeof ring !== 'string');
  return ring;
}

const ids = (secret: string) => ringOf(secret).map(({ id }) => id);

test('new prints a Secret that run would take', () => {
  const { status, stdout } = keys('new', '', '--namespace', 'gate');
  assert.equal(status, 0);
  const { metadata } = JSON.parse(stdout) as Secret;
  assert.deepEqual(metadata, { name: 'sallyport-keys', namespace: 'gate' });
  assert.equal(ringOf(stdout).length, 1);
});

test('add, promote and retire change the ring alone, each in its turn and not before its time', () => {
  const { data, metadata, ...rest } = JSON.parse(keys('new', '').stdout) as Secret;
  const start = JSON.stringify({ ...rest, metadata: { ...metadata, resourceVersion: '7', labels: { a: 'b' } }, data });
  const [old] = ids(start);

  const added = keys('add', start);
  const [first, fresh] = ids(added.stdout);
  assert.equal(first, old);
  assert.match(added.stderr, new RegExp(`added key ${fresh}`));
  assert.deepEqual((JSON.parse(added.stdout) as Secret).metadata, {
    ...metadata,
    resourceVersion: '7',
    labels: { a: 'b' },
  });
  assert.match(keys('show', added.stdout).stdout, new RegExp(`^${old} {2}signs\n${fresh} {2}verifies {2}20`));

  for (const [step, why] of [
    ['add', /promote is next/],
    ['promote', /may not know key \w+ yet; again after 20\d\d-/],
    ['retire', /promote is next/],
  ] as const) {
    const { status, stdout, stderr } = keys(step, added.stdout);
    assert.deepEqual([status, stdout], [1, ''], step);
    assert.match(stderr, why);
  }

  const promoted = keys('promote', added.stdout, '--now');
  assert.deepEqual(ids(promoted.stdout), [fresh, old]);
  assert.match(keys('promote', promoted.stdout).stderr, /add is the step before/);
  assert.match(keys('retire', promoted.stdout).stderr, /sessions may still need the older keys; again after/);
  assert.match(keys('retire', promoted.stdout, '--sessions', '1h').stderr, /again after/);
  const retired = keys('retire', promoted.stdout, '--now');
  assert.deepEqual(ids(retired.stdout), [fresh]);
  assert.match(keys('retire', retired.stdout).stderr, /one key only/);
});

test('a manifest in YAML is read too, also one among others', () => {
  const { data } = JSON.parse(keys('new', '').stdout) as Secret;
  const text = Buffer.from(data['keys.json'] ?? '', 'base64').toString();
  const manifest = `kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n---\nkind: Secret\napiVersion: v1\nmetadata: {name: sallyport-keys, namespace: gate}\nstringData:\n  keys.json: |\n    ${text}\n`;
  assert.equal(ids(keys('add', manifest).stdout).length, 2);
});

test('what is no ring, no step and no duration is said in one line', () => {
  const other = '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"sallyport-keys"},"data":{"keys.json":"W10="}}';
  for (const [step, input, flags, status, why] of [
    ['add', '', [], 1, /Secret sallyport-keys .*is wanted: there is none/],
    ['add', other, [], 1, /a list of \{id, secret, signingKey\} is wanted/],
    ['rotate', '', [], 2, /one of new, show, add, promote, retire/],
    ['retire', '', ['--sessions', 'a day'], 2, /--sessions: a duration is wanted/],
    ['add', '', ['--soon'], 2, /--soon/],
  ] as const) {
    const ran = keys(step, input, ...flags);
    assert.deepEqual([ran.status, ran.stdout], [status, ''], step);
    assert.match(ran.stderr, why);
    assert.equal(ran.stderr.trimEnd().split('\n').length, 1, ran.stderr);
  }
});

describe('a rotation, each step at the first moment at which it is not refused', () => {
  const minute = 60_000;
  const sessionMs = 30 * minute;
  const start = 1_795_000_000_000;
  const session: Session = {
    id: 's',
    provider: 'okta',
    identity: { user: 'ana', groups: [], claims: {} },
    authenticatedAt: start,
    startedAt: start,
    expiresAt: start + sessionMs,
  };
  const terms = { issuer: 'https://auth.example.com', host: 'app.example.com', route: 'r' };

  /** The rings in force, each with the moment from which it is. */
  function timeline(atOnce: boolean): readonly { readonly from: number; readonly ring: KeyRing }[] {
    const rings = [{ from: -Infinity, ring: createKeyRing() }];
    let now = start;
    for (const step of ['add', 'promote', 'retire'] satisfies RotationStep[]) {
      const { ring } = rings.at(-1) ?? { ring: createKeyRing() };
      let rotated = rotate(ring, step, { now, sessionMs, atOnce });
      if ('refused' in rotated && rotated.until !== undefined) {
        assert('refused' in rotate(ring, step, { now: rotated.until - 1, sessionMs }), 'not a moment before');
        now = rotated.until;
        rotated = rotate(ring, step, { now, sessionMs });
      }
      assert('ring' in rotated, step);
      rings.push({ from: now, ring: rotated.ring });
    }
    return rings;
  }

  async function failures(rings: ReturnType<typeof timeline>): Promise<number> {
    const ringAt = (now: number) => rings.findLast(({ from }) => from <= now)?.ring ?? createKeyRing();
    let failed = 0;
    for (let now = start - 10 * minute; now < start + 60 * minute; now += minute / 2) {
      for (const cachedFor of [0, keySetMs - 1]) {
        for (const lived of [0, assertionLifetimeMs - 1_000]) {
          const assertion = signAssertion(ringAt(now - lived), session, { ...terms, now: now - lived });
          const set = createLocalJWKSet(jwks(ringAt(now - cachedFor)) as JSONWebKeySet);
          await jwtVerify(assertion, set, { currentDate: new Date(now) }).catch(() => (failed += 1));
        }
      }
    }
    return failed;
  }

  test('fails no application that keeps the key set for as long as it may', async () => {
    const rings = timeline(false);
    assert.deepEqual(
      rings.slice(1).map(({ from }) => (from - start) / minute),
      [0, 5, 35],
    );
    assert.equal(await failures(rings), 0);
  });

  test('at once it does, which is what the help says', async () => {
    assert.ok((await failures(timeline(true))) > 0);
  });
});
