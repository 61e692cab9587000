// CVE-2026-21712: a host that is no international name ended the process in an assertion.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

const hosts = [
  'xn--',
  'xn--a',
  'xn--\u00fc',
  'xn--0.xn--0',
  `xn--${'9'.repeat(59)}`,
  'app.xn--iñvalid.com',
  '\u3002',
  'app\u3002example\u3002com',
  'app.example.com\u00ad',
  '\u0130.example.com',
  '[::1%25eth0]',
  '[v1.a]',
  '1.2.3.256',
  '0x7f.1',
];

test('whatever a host is spelt like, it is refused or unknown, and the next request is served', () =>
  withRig({}, async ({ send, get, upstream }) => {
    for (const host of hosts) {
      for (const target of ['/', `http://${host}/`]) {
        const bytes = Buffer.from(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 'utf8');
        const { status } = await send(bytes);
        assert.ok(status === 400 || status === 404, `${host}: ${status}`);
      }
      assert.equal((await get('/')).status, 200);
    }
    assert.equal(upstream.requests.length, hosts.length, 'and none of them reached an application');
  }));
