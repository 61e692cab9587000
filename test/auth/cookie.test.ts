// Our cookies: what they hold, for which host, and what a browser is told to do with them.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  decodeTicket,
  encodeTicket,
  endFlowCookie,
  endSessionCookie,
  flowCookie,
  sessionCookie,
} from '../../src/auth/cookie.ts';
import type { Ticket } from '../../src/auth/cookie.ts';
import { isOwnCookie, sessionCookieName } from '../../src/auth/authority.ts';
import { createKeyRing } from '../../src/auth/keys.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import type { KeyRing } from '../../src/model/settings.ts';

const ring = createKeyRing();
const ticket: Ticket = { id: randomBytes(16).toString('base64url'), secret: randomBytes(32) };
const host = 'app.example.com';
const plain = encodeTicket(ring, ticket, 'auth.example.com', true);
const sealed = encodeTicket(ring, ticket, host, false);

describe('a session cookie', () => {
  test('gives back its ticket, plain on the authentication host and sealed on any other', () => {
    for (const [value, isAuthenticationHost] of [
      [plain, true],
      [sealed, false],
    ] as const) {
      const decoded = decodeTicket(ring, value, host, isAuthenticationHost);
      assert.equal(decoded?.id, ticket.id);
      assert.deepEqual(Buffer.from(decoded.secret), Buffer.from(ticket.secret));
    }
  });

  test('shows the secret on the authentication host alone', () => {
    const secret = Buffer.from(ticket.secret).toString('base64url');
    assert.equal(plain, `${ticket.id}.${secret}`);
    assert.equal(sealed.includes(secret), false);
  });

  test('is at most 200 bytes, with the longest name of a key that there is', () => {
    const [key] = ring;
    const longest: KeyRing = [{ ...key, id: 'k'.repeat(16) }];
    for (const value of [plain, encodeTicket(longest, ticket, 'h'.repeat(253), false)]) {
      assert(`__Host-sallyport=${value}`.length <= 200, `${value.length}`);
    }
  });

  test('of one host is refused on every other', () => {
    for (const other of ['other.example.com', 'App.example.com', 'example.com', 'app.example.com:8443', '', ' ']) {
      assert.equal(decodeTicket(ring, sealed, other, false), undefined, other);
    }
  });

  test('in its plain form is refused off the authentication host, and in its sealed form on it', () => {
    assert.equal(decodeTicket(ring, plain, host, false), undefined);
    assert.equal(decodeTicket(ring, plain, 'auth.example.com', false), undefined);
    assert.equal(decodeTicket(ring, sealed, host, true), undefined);
  });

  test('with the id of another session is refused', () => {
    const [, rest = ''] = /^[^.]*\.(.*)$/.exec(sealed) ?? [];
    assert.equal(decodeTicket(ring, `${randomBytes(16).toString('base64url')}.${rest}`, host, false), undefined);
  });

  test('has one spelling', () => {
    const { length } = plain;
    for (const other of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
      if (other === plain[length - 1]) continue;
      const decoded = decodeTicket(ring, plain.slice(0, -1) + other, host, true);
      assert(decoded === undefined || !Buffer.from(decoded.secret).equals(ticket.secret), other);
    }
  });

  test('opens with a ring whose newest key is another', () => {
    const rotated: KeyRing = [createKeyRing()[0], ring[0]];
    assert.notEqual(decodeTicket(rotated, sealed, host, false), undefined);
    assert.equal(decodeTicket(createKeyRing(), sealed, host, false), undefined);
  });

  test('is nothing else: no text opens, and none makes it throw', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 5_000 }),
      fc.string({ unit: 'binary' }).map((text) => `${ticket.id}.${text}`),
      fc.string({ unit: 'binary' }).map((text) => `${ticket.id}.${ring[0].id}.${text}`),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.constantFrom('', '.', '..', '%', '%00', '\0', ticket.id, `${ticket.id}.`, 'x'.repeat(1 << 20)),
    );
    fc.assert(
      fc.property(texts, fc.boolean(), (text, isAuthenticationHost) => {
        assert.equal(decodeTicket(ring, text, host, isAuthenticationHost), undefined);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a Set-Cookie line', () => {
  const settings = { ...defaultClassSettings, cookieName: 'door', cookieSameSite: 'Strict' } as const;

  test('of a session is for this host alone, unseen by scripts, over TLS alone, and ends with the session', () => {
    assert.equal(
      sessionCookie(settings, 'value', 90_500),
      '__Host-door=value; Path=/; Max-Age=90; Secure; HttpOnly; SameSite=Strict',
    );
    assert.equal(endSessionCookie(settings), '__Host-door=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict');
  });

  test('of a sign-in is Lax whatever the class says: it comes back from the provider', () => {
    assert.equal(
      flowCookie(settings, 'abcdefgh', 'value', 600_000),
      '__Host-door-flow-abcdefgh=value; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax',
    );
    assert.equal(
      endFlowCookie(settings, 'abcdefgh'),
      '__Host-door-flow-abcdefgh=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax',
    );
  });

  test('names a cookie that is known as ours, in any letter case, and no other is', () => {
    for (const name of ['__Host-door', '__host-DOOR', '__Host-door-flow-abcdefgh', ' __Host-door ']) {
      assert(isOwnCookie(name, 'door'), name);
    }
    for (const name of ['door', '__Host-doors', '__Secure-door', '__Host-', 'x__Host-door']) {
      assert.equal(isOwnCookie(name, 'door'), false, name);
    }
    assert.equal(sessionCookieName('door'), '__Host-door');
  });
});
