// CORS: preflights are answered without a sign-in, 401s can be read by the page that caused them, and the application has no say.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cors } from '../../src/model/route.ts';
import { publicAccess, reply, signedInAccess, withRig } from './rig.ts';
import type { RigOptions } from './rig.ts';

const origin = 'https://page.example.com';
const cors: Cors = {
  origins: [origin],
  methods: ['GET', 'PUT'],
  exposed: ['X-Total'],
  credentials: true,
  maxAgeSeconds: 60,
};

// Behind a load balancer that ends TLS: over plain http nobody would be asked to sign in at all.
const https = 'X-Forwarded-Proto: https';

const withCors = (change: Partial<Cors> = {}): RigOptions => ({
  settings: { trustedProxies: ['127.0.0.1'] },
  hosts: (routeTo) => [
    {
      host: 'app.example.com',
      routes: [
        routeTo('/private', signedInAccess, { cors: { ...cors, ...change } }),
        routeTo('/plain', signedInAccess),
        routeTo('/', publicAccess, { cors: { ...cors, ...change } }),
      ],
    },
  ],
});

const preflight = (path: string, from = origin) =>
  `OPTIONS ${path} HTTP/1.1\r\nHost: app.example.com\r\n${https}\r\nOrigin: ${from}\r\nAccess-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: x-one, x-two\r\n\r\n`;

test('a preflight is answered by us, without a sign-in, and never reaches the application', async () => {
  await withRig(withCors(), async ({ send, upstream }) => {
    const answer = await send(preflight('/private'));
    assert.equal(answer.status, 204);
    assert.equal(answer.header('access-control-allow-origin'), origin);
    assert.equal(answer.header('access-control-allow-methods'), 'GET, PUT');
    assert.equal(answer.header('access-control-allow-headers'), 'x-one, x-two');
    assert.equal(answer.header('access-control-allow-credentials'), 'true');
    assert.equal(answer.header('access-control-max-age'), '60');
    assert.equal(answer.header('content-length'), undefined);
    assert.equal(upstream.requests.length, 0);
  });
});

test('another origin is told nothing, and where no CORS was asked for a preflight is a request like any other', async () => {
  await withRig(withCors(), async ({ send }) => {
    for (const from of [
      'https://evil.example.com',
      'null',
      'https://page.example.com.evil.example',
      'http://page.example.com',
    ]) {
      assert.equal((await send(preflight('/private', from))).header('access-control-allow-origin'), undefined, from);
    }
    const plain = await send(preflight('/plain'));
    assert.equal(plain.status, 401);
    assert.equal(plain.header('access-control-allow-origin'), undefined);
  });
});

test('a 401 can be read by the page, which learns that somebody must sign in', async () => {
  await withRig(withCors(), async ({ get }) => {
    const answer = await get('/private', https, `Origin: ${origin}`, 'Sec-Fetch-Mode: cors');
    assert.equal(answer.status, 401);
    assert.equal(answer.header('access-control-allow-origin'), origin);
    assert.equal(answer.header('vary'), 'Origin');
  });
});

test('what the application says of CORS is replaced, for whoever asks', async () => {
  const application = reply(
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Allow-Private-Network: true\r\n\r\n',
  );
  await withRig({ ...withCors(), application }, async ({ get }) => {
    const known = await get('/', `Origin: ${origin}`);
    assert.equal(known.header('access-control-allow-origin'), origin);
    assert.equal(known.header('access-control-expose-headers'), 'X-Total');
    assert.equal(known.header('access-control-allow-private-network'), undefined);
    assert.equal((await get('/', 'Origin: https://evil.example.com')).header('access-control-allow-origin'), undefined);
  });
});

test('any origin may be meant, and is then never given credentials', async () => {
  await withRig(withCors({ origins: ['*'], credentials: false }), async ({ send }) => {
    const answer = await send(preflight('/private', 'https://anybody.example'));
    assert.equal(answer.header('access-control-allow-origin'), '*');
    assert.equal(answer.header('access-control-allow-credentials'), undefined);
  });
});
