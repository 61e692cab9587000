// An application's own address never reaches a client, in a redirect or a cookie; everything else passes byte for byte.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Upstream } from '../../src/model/route.ts';
import { canonicalRequest } from '../../src/proxy/request.ts';
import { outwardOf } from '../../src/proxy/outward.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import { publicAccess, reply, withRig } from './rig.ts';

const upstream: Upstream = {
  name: 'monitoring/grafana:80',
  protocol: 'http',
  endpoints: [
    { address: '10.1.2.3', port: 3000 },
    { address: 'fd00::7', port: 3000 },
  ],
};
const canonical = canonicalRequest(
  {
    method: 'GET',
    target: '/',
    rawHeaders: ['Host', 'grafana.example.com'],
    peer: '192.0.2.1',
    encrypted: true,
    port: 8443,
  },
  defaultClassSettings,
);
assert.ok('ok' in canonical);
const outward = outwardOf(upstream, canonical.ok);

test('a redirect to the endpoint or to its Service leads to the host that the client asked', () => {
  const own = 'https://grafana.example.com';
  const cases: Record<string, string> = {
    'http://10.1.2.3:3000/login?x=1#y': `${own}/login?x=1#y`,
    'http://10.1.2.3': `${own}/`,
    'HTTP://10.1.2.3:3000?x': `${own}/?x`,
    'https://[fd00::7]:3000/a': `${own}/a`,
    'http://grafana/a': `${own}/a`,
    'http://grafana.monitoring:80/a': `${own}/a`,
    'http://GRAFANA.monitoring.svc.cluster.local/a': `${own}/a`,
  };
  for (const [given, wanted] of Object.entries(cases)) {
    assert.equal(outward('location', given), wanted, given);
    assert.equal(outward('content-location', given), wanted, given);
  }
});

test('a redirect elsewhere passes byte for byte', () => {
  const others = [
    '/login',
    '../x',
    'https://idp.example.com/?to=http://10.1.2.3:3000/',
    'http://10.1.2.33/',
    'http://grafana.example.com.evil/',
    '//10.1.2.3/',
    'http://grafana.other/',
    'http://10.1.2.3@evil.example/',
    '',
  ];
  for (const given of others) assert.equal(outward('location', given), given);
  assert.equal(outward('x-link', 'http://10.1.2.3:3000/'), 'http://10.1.2.3:3000/');
});

test('a cookie for the upstream’s domain becomes one for the host; others pass byte for byte', () => {
  assert.equal(outward('set-cookie', 'a=1; Domain=10.1.2.3; Path=/; HttpOnly'), 'a=1; Path=/; HttpOnly');
  assert.equal(outward('set-cookie', 'a=1; path=/;domain=.Grafana.monitoring.svc.cluster.local'), 'a=1; path=/');
  for (const line of ['a=1; Domain=example.com; Path=/', 'a="x; domain"', 'a=1', 'a=1;  Secure ; SameSite=lax']) {
    assert.equal(outward('set-cookie', line), line);
  }
});

test('it holds over real sockets', async () => {
  let port = 0;
  const options = {
    application: (request: string, socket: Parameters<ReturnType<typeof reply>>[1]) =>
      reply(
        `HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:${port}/next\r\nSet-Cookie: a=1; Domain=127.0.0.1\r\nContent-Length: 0\r\n\r\n`,
      )(request, socket),
    hosts: (routeTo: Parameters<NonNullable<Parameters<typeof withRig>[0]['hosts']>>[0]) => [
      { host: 'app.example.com', routes: [routeTo('/', publicAccess)] },
    ],
  };
  await withRig(options, async ({ get, upstream: { port: at } }) => {
    port = at;
    const answer = await get('/');
    assert.equal(answer.header('location'), 'http://app.example.com/next');
    assert.equal(answer.header('set-cookie'), 'a=1');
    assert.doesNotMatch(answer.raw, /127\.0\.0\.1/);
  });
});
