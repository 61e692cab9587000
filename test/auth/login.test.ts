// A sign-in's pieces: where it may return to, which callback is its own, and how long its cookies count.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createKeyRing, seal } from '../../src/auth/keys.ts';
import {
  bindingOf,
  checkCallback,
  flowLifetimeMs,
  isBoundTo,
  isFlowId,
  keepable,
  newChallenge,
  newCodeFlow,
  newFlowId,
  safeReturn,
  sealFlow,
  sealRequest,
  unsealFlow,
  unsealRequest,
} from '../../src/auth/sign-in/login.ts';
import type { ProviderFlow, SignInRequest } from '../../src/auth/sign-in/login.ts';

const ring = createKeyRing();
const now = 1_700_000_000_000;
const host = 'app.example.com';

describe('where a sign-in returns to', () => {
  // peers: CVE-2020-5233, CVE-2020-11053, CVE-2020-4037, CVE-2024-21497; and the spellings that follow from the URL standard.
  const elsewhere = [
    '//evil.example.org',
    '///evil.example.org',
    '////evil.example.org',
    '/\\evil.example.org',
    '\\/evil.example.org',
    '\\\\evil.example.org',
    '/\\/evil.example.org',
    '/\t/evil.example.org',
    '\t//evil.example.org',
    '/\n/evil.example.org',
    '/\r\n/evil.example.org',
    '/ /evil.example.org',
    ' //evil.example.org',
    '/\0/evil.example.org',
    '/\u00a0/evil.example.org',
    '/\u2028/evil.example.org',
    '/\ufeff/evil.example.org',
    '／／evil.example.org',
    '/／evil.example.org',
    '/\u3002/evil.example.org',
    'https://evil.example.org',
    'https:evil.example.org',
    'https:/evil.example.org',
    'HTTPS://evil.example.org',
    'http://app.example.com@evil.example.org',
    'javascript:alert(1)',
    'data:text/html,x',
    'evil.example.org',
    '@evil.example.org',
    '.evil.example.org',
    ':80@evil.example.org',
    '?x',
    '#x',
    '',
    '%2f%2fevil.example.org',
    '%5cevil.example.org',
  ];

  test('is the start page for every spelling of somewhere else', () => {
    for (const given of elsewhere) assert.equal(safeReturn(given), '/', JSON.stringify(given));
    assert.equal(safeReturn(null), '/');
    assert.equal(safeReturn(`/${'x'.repeat(2_000)}`), '/');
  });

  test('is the path and query given, where they stay here', () => {
    const here = [
      '/',
      '/a/b?c=d&e',
      '/%2f%2fevil.example.org',
      '/%5cevil.example.org',
      '/%09/x',
      '/a//b',
      '/.//x',
      '/@x',
    ];
    for (const given of here) assert.equal(safeReturn(given), given);
  });

  test('has our own origin, whatever was given, and however a browser reads it', () => {
    const pieces = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      ':',
      '@',
      '?',
      '#',
      '\t',
      '\n',
      ' ',
      '%2f',
      '%5c',
      '／',
      'https:',
    );
    const given = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }).map((text) => `/${text}`),
      fc.array(fc.oneof(pieces, fc.constantFrom('evil.example.org', 'x')), { maxLength: 8 }).map((all) => all.join('')),
      fc.webUrl(),
    );
    for (const origin of ['https://app.example.com', 'http://app.localhost:8080']) {
      fc.assert(
        fc.property(given, (text) => {
          assert.equal(new URL(origin + safeReturn(text)).origin, origin);
          // Even where somebody used it as a relative reference, which we never do.
          assert.equal(new URL(safeReturn(text), origin).origin, origin);
        }),
        { numRuns: 2_000 },
      );
    }
  });

  test('is kept whole up to what fits in a cookie; then its path, then the start page', () => {
    const long = (length: number) => 'x'.repeat(length);
    assert.equal(keepable(`/a?${long(1_900)}`), `/a?${long(1_900)}`);
    assert.equal(keepable(`/a?${long(2_000)}`), '/a');
    assert.equal(keepable(`/${long(2_000)}?q`), '/');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 5_000 }), (text) => {
        assert(Buffer.byteLength(JSON.stringify(keepable(`/${text}`))) <= 2_010);
      }),
    );
  });
});

describe("a callback's state", () => {
  const flowId = newFlowId();
  const challenge = newChallenge(flowId);
  const flow: ProviderFlow = {
    kind: 'Provider',
    provider: 'okta',
    challenge,
    redirectUri: `https://${host}/.sallyport/callback`,
    returnTo: '/',
    at: now,
  };
  const { state } = challenge;

  test('is the one of this flow, exactly once', () => {
    const checked = checkCallback(flow, `?code=a&state=${state}&iss=b`);
    assert.equal(checked?.url.href, `${flow.redirectUri}?code=a&state=${state}&iss=b`);
    assert.deepEqual(checked.challenge, challenge);
  });

  test('is not missing, empty, twice, another, cut, lengthened, or in another parameter', () => {
    const wrong = [
      '',
      '?',
      '?code=a',
      '?code=a&state',
      '?code=a&state=',
      `?state=${state}&state=${state}`,
      `?state=${state}&state=x`,
      `?state=x&state=${state}`,
      `?State=${state}`,
      `?x=state=${state}`,
      `#state=${state}`,
      `?state=${newChallenge(flowId).state}`,
      `?state=${newChallenge(newFlowId()).state}`,
      `?state=${flowId}`,
      `?state=${state.slice(0, -1)}`,
      `?state=${state}x`,
      `?state=${state.toLowerCase()}`,
      `?state=${'é'.repeat(state.length)}`,
    ];
    for (const query of wrong) assert.equal(checkCallback(flow, query), undefined, query);
  });

  test('names its flow, and every value is another each time', () => {
    assert.equal(state.split('.')[0], flowId);
    const all = Array.from({ length: 20 }, () => newChallenge(flowId)).flatMap(Object.values);
    assert.equal(new Set(all).size, 60);
    // RFC 7636, section 4.1: a verifier has 43 to 128 characters.
    assert.match(challenge.verifier, /^[A-Za-z0-9_-]{43}$/);
    assert.match(challenge.nonce, /^[A-Za-z0-9_-]{43}$/);
  });
});

describe('a flow', () => {
  const id = newFlowId();
  const flow = newCodeFlow('/x?y', now);
  const sealed = sealFlow(ring, flow, host, id);

  test('opens on its host, under its name, for ten minutes', () => {
    assert.deepEqual(unsealFlow(ring, sealed, host, id, now), flow);
    assert.deepEqual(unsealFlow(ring, sealed, host, id, now + flowLifetimeMs - 1), flow);
    assert.equal(unsealFlow(ring, sealed, host, id, now + flowLifetimeMs), undefined);
    assert.equal(unsealFlow(ring, sealed, 'other.example.com', id, now), undefined);
    assert.equal(unsealFlow(ring, sealed, host, newFlowId(), now), undefined);
    assert.equal(unsealFlow(createKeyRing(), sealed, host, id, now), undefined);
  });

  test('is not a request, nor a request a flow', () => {
    const asked: SignInRequest = {
      flow: id,
      scheme: 'https',
      authority: host,
      providers: ['okta'],
      binding: 'b',
      somebodyElse: false,
      at: now,
    };
    const request = sealRequest(ring, asked, host);
    assert.deepEqual(unsealRequest(ring, request, host, now), asked);
    assert.equal(unsealRequest(ring, request, host, now + flowLifetimeMs), undefined);
    assert.equal(unsealRequest(ring, request, 'other.example.com', now), undefined);
    assert.equal(unsealRequest(ring, sealed, `${host} ${id}`, now), undefined);
    assert.equal(unsealFlow(ring, request, host, id, now), undefined);
  });

  test('that a later version wrote is none, and no error', () => {
    for (const text of ['{"kind":"Later"}', '[]', 'null', 'no JSON']) {
      assert.equal(unsealFlow(ring, seal(ring, 'flow', text, `${host} ${id}`), host, id, now), undefined);
      assert.equal(unsealRequest(ring, seal(ring, 'request', text, host), host, now), undefined);
    }
  });

  test('is named by eight letters and digits', () => {
    for (let count = 0; count < 200; count += 1) assert(isFlowId(newFlowId()));
    for (const text of ['', 'short', 'toolong99', 'with-dsh', 'with_dsh', 'with.dot', 'line\nfee', '12345678\n']) {
      assert.equal(isFlowId(text), false, JSON.stringify(text));
    }
  });
});

test('a binding knows its secret and no other, and does not tell it', () => {
  const { secret } = newCodeFlow('/', now);
  const binding = bindingOf(secret);
  assert(isBoundTo(binding, secret));
  assert.equal(binding.includes(secret), false);
  for (const other of [newCodeFlow('/', now).secret, '', binding, `${secret}x`]) {
    assert.equal(isBoundTo(binding, other), false);
  }
  for (const other of ['', binding.slice(1), `${binding}x`, 'é'.repeat(43)])
    assert.equal(isBoundTo(other, secret), false);
});
