// CVE-2024-52003: X-Forwarded-Prefix became the beginning of a Location. Ours are made of what was judged, never of a header.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificate, publicAccess, signedInAccess, withRig } from '../../proxy/rig.ts';

const steering = [
  'X-Forwarded-Prefix: https://evil.example.org',
  'X-Forwarded-Prefix: //evil.example.org',
  'X-Forwarded-Host: evil.example.org',
  'X-Original-Host: evil.example.org',
  'X-Forwarded-Server: evil.example.org',
  'X-Forwarded-Uri: //evil.example.org/',
  'X-Original-URL: //evil.example.org/',
  'X-Rewrite-URL: //evil.example.org/',
  'Forwarded: host=evil.example.org;proto=https',
  'Referer: https://evil.example.org/',
  'Origin: https://evil.example.org',
];
const html = ['Accept: text/html', 'Sec-Fetch-Mode: navigate'];

test('neither the way to https nor the way to a sign-in is steered', () =>
  withRig(
    {
      https: true,
      settings: { trustedProxies: ['127.0.0.1/32'] },
      hosts: (to) => [
        { host: 'app.example.com', routes: [to('/', publicAccess)], certificate: certificate('app.example.com') },
        { host: 'app.localhost', routes: [to('/', signedInAccess)] },
      ],
    },
    async ({ get, authority, upstream }) => {
      for (const line of steering) {
        const toHttps = await get('/x?y', line);
        assert.equal(toHttps.header('location'), 'https://app.example.com/x?y', line);
        await get('/x?y', 'Host: app.localhost', ...html, line);
        const asked = authority.signIns.at(-1);
        assert.deepEqual([asked?.host, asked?.path, asked?.query], ['app.localhost', '/x', '?y'], line);
        assert.equal(asked?.authority, 'app.localhost', line);
      }
      assert.equal(authority.signIns.length, steering.length);
      assert.equal(upstream.requests.length, 0);
    },
  ));
