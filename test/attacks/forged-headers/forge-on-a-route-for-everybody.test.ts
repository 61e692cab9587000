// CVE-2024-7207: on a route without a policy nothing was checked, and the names that only the check may set passed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

const forged = [
  'X-Sallyport-User: eve',
  'X-Sallyport-Jwt-Assertion: a.b.c',
  'X-Pomerium-Claim-Email: eve',
  'X-Auth-Request-User: eve',
  'X-Forwarded-User: eve',
  'X-Goog-Authenticated-User-Email: eve',
  'Cf-Access-Authenticated-User-Email: eve',
  'Remote-User: eve',
  'X-Original-URL: /eve',
  'Forwarded: for=eve',
  'X_Sallyport_User: eve',
];
const upgrade = ['Connection: Upgrade', 'Upgrade: websocket'];

test('a public route is no way in for a name: not as a request, an upgrade, a body or an answer to a preflight', () =>
  withRig({}, async ({ send, upstream }) => {
    const head = (method: string, path: string, ...more: string[]) =>
      `${[`${method} ${path} HTTP/1.1`, 'Host: app.example.com', ...forged, ...more].join('\r\n')}\r\n\r\n`;
    const sent = [
      head('GET', '/'),
      head('HEAD', '/x'),
      head('OPTIONS', '/', 'Origin: https://eve.example.org', 'Access-Control-Request-Method: GET'),
      `${head('POST', '/', 'Content-Length: 3')}abc`,
      head('GET', '/', ...upgrade),
      head('GET', '/', 'Cookie: __Host-sallyport=unknown'),
    ];
    for (const bytes of sent) await send(bytes, { forMs: 100 });
    assert.equal(upstream.requests.length, sent.length);
    for (const request of upstream.requests) assert.doesNotMatch(request, /eve(?!\.example)|a\.b\.c/, request);
  }));
