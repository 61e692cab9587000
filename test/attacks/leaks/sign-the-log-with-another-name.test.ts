// CVE-2026-44046: the log named whom a header named. It names who was verified, or nobody.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, withRig } from '../../proxy/rig.ts';

const forged = [
  'X-Sallyport-User: victim',
  'X-Sallyport-Email: victim@example.com',
  'X-Forwarded-User: victim',
  'Remote-User: victim',
  'Authorization: Basic dmljdGltOng=',
  'X-Request-Id: victim',
  'X-Forwarded-For: 203.0.113.66',
];

test('a line of the access log names the verified person, our own request id and the peer', () =>
  withRig({}, async ({ get, lines }) => {
    await get('/', ...forged);
    await get('/private', ...forged, 'Cookie: __Host-sallyport=good');
    await get('/engineers', ...forged);
    await eventually(() => lines.length === 3, 'three lines');
    assert.deepEqual(
      lines.map(({ email, client }) => [email, client]),
      [
        [undefined, '127.0.0.1'],
        ['ana@example.com', '127.0.0.1'],
        [undefined, '127.0.0.1'],
      ],
    );
    assert.doesNotMatch(JSON.stringify(lines), /victim|203\.0\.113\.66/);
  }));
