// CVE-2021-21291: `.example.com` was met by badexample.com. A domain ends a name at a label, or it does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateFor } from '../../../src/proxy/certificates.ts';
import { certificate, publicAccess, withRig } from '../../proxy/rig.ts';

const hosts = [
  'badexample.com',
  'example.com',
  'xn--app.badexample.com',
  'app.example.com.evil.org',
  'app.xexample.com',
];

test('a wildcard is for names one label below its domain, routes and certificate alike', () =>
  withRig(
    {
      hosts: (to) => [
        {
          host: '*.example.com',
          routes: [to('/', publicAccess)],
          certificate: certificate('wildcard.example.org'),
        },
      ],
    },
    async ({ get, upstream, proxy }) => {
      for (const host of hosts) {
        assert.equal((await get('/', `Host: ${host}`)).status, 404, host);
        assert.equal(certificateFor(proxy.table, host), undefined, host);
      }
      assert.equal(upstream.requests.length, 0);
      assert.equal((await get('/', 'Host: app.example.com')).status, 200);
    },
  ));
