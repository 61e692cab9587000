// Promise 9 for whoever comes with a session that has ended: a script 401 that its page can read, a form a page, a person a redirect.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cors } from '../../src/model/route.ts';
import { eventually, session, signedInAccess, withRig } from './rig.ts';
import type { RawResponse, Rig, RigOptions } from './rig.ts';

const origin = 'https://page.example.com';
const cors: Cors = { origins: [origin], methods: ['GET'], exposed: [], credentials: true, maxAgeSeconds: 60 };
const options: RigOptions = {
  settings: { trustedProxies: ['127.0.0.1'] },
  hosts: (routeTo) => [
    {
      host: 'app.example.com',
      routes: [routeTo('/api', signedInAccess, { cors }), routeTo('/', signedInAccess)],
    },
  ],
};

const cookie = 'Cookie: __Host-sallyport=good';
const get = (rig: Rig, path: string, lines: readonly string[]) =>
  rig.get(path, cookie, 'X-Forwarded-Proto: https', ...lines);

/** Makes the session of the cookie `good` one that has ended, after a request that it let through. */
const endings: Readonly<Record<string, (rig: Rig) => void | Promise<void>>> = {
  'has expired': ({ authority }) => {
    authority.sessions.set('good', session('session-good', { expiresAt: Date.now() - 1 }));
    authority.doubt();
  },
  'expires while it is remembered': async (rig) => {
    rig.authority.sessions.set('good', session('session-short', { expiresAt: Date.now() + 100 }));
    rig.authority.doubt();
    await get(rig, '/api', []);
    await delay(150);
  },
  'was revoked': ({ authority }) => authority.end('session-good'),
  'nobody knows any more': ({ authority }) => {
    authority.sessions.clear();
    authority.doubt();
  },
};

const scripts: Readonly<Record<string, readonly string[]>> = {
  'an XMLHttpRequest of another origin': ['Accept: */*', 'Sec-Fetch-Mode: cors', 'Sec-Fetch-Site: cross-site'],
  'one that asks for HTML': ['Accept: text/html', 'Sec-Fetch-Mode: cors', 'X-Requested-With: XMLHttpRequest'],
  'a fetch of the same origin': ['Accept: */*', 'Sec-Fetch-Mode: same-origin'],
  'a fetch of an old browser': ['Accept: */*'],
  'a fetch that says nothing': [],
  'an EventSource': ['Accept: text/event-stream', 'Sec-Fetch-Mode: cors'],
};

function isChallenge(answer: RawResponse, who: string): void {
  assert.equal(answer.status, 401, who);
  assert.equal(answer.header('www-authenticate'), 'Bearer realm="app.example.com"', who);
  assert.equal(answer.header('content-type'), 'application/problem+json', who);
  assert.equal(answer.header('location'), undefined, who);
  assert.deepEqual(answer.all('set-cookie'), [], who);
}

for (const [how, end] of Object.entries(endings)) {
  test(`whose session ${how}`, () =>
    withRig(options, async (rig) => {
      assert.equal((await get(rig, '/api', [])).status, 200);
      await end(rig);
      const { length } = rig.upstream.requests;
      for (const [who, lines] of Object.entries(scripts)) {
        const readable = await get(rig, '/api/items', [...lines, `Origin: ${origin}`]);
        isChallenge(readable, who);
        assert.equal(readable.header('access-control-allow-origin'), origin, who);
        assert.equal(readable.header('access-control-allow-credentials'), 'true', who);
        const stranger = await get(rig, '/api/items', [...lines, 'Origin: https://evil.example']);
        isChallenge(stranger, who);
        assert.equal(stranger.header('access-control-allow-origin'), undefined, who);
        const plain = await get(rig, '/items', [...lines, `Origin: ${origin}`]);
        isChallenge(plain, who);
        assert.equal(plain.header('access-control-allow-origin'), undefined, who);
      }
      const form = await rig.send(
        `POST /form HTTP/1.1\r\nHost: app.example.com\r\n${cookie}\r\nX-Forwarded-Proto: https\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\nContent-Length: 3\r\n\r\na=b`,
      );
      assert.equal(form.status, 401);
      assert.equal(form.header('location'), undefined);
      assert.match(form.body, /<a class="button" href="\/form">Sign in<\/a>/);
      assert.equal(rig.authority.signIns.length, 0);
      const navigation = await get(rig, '/page?a=b', ['Accept: text/html', 'Sec-Fetch-Mode: navigate']);
      assert.equal(navigation.status, 302);
      assert.equal(rig.authority.signIns[0]?.query, '?a=b');
      assert.equal(rig.upstream.requests.length, length);
    }));
}

test('a script that waits for an answer when the session ends gets the same 401, which its page can read', () =>
  withRig({ ...options, application: () => undefined }, async (rig) => {
    const waiting = get(rig, '/api/slow', ['Sec-Fetch-Mode: cors', `Origin: ${origin}`]);
    await eventually(() => rig.upstream.requests.length === 1, 'the application has been asked');
    rig.authority.end('session-good');
    const answer = await waiting;
    isChallenge(answer, 'who waits');
    assert.equal(answer.header('access-control-allow-origin'), origin);
  }));
