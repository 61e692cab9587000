// ingress-nginx#8256, CVE-2026-54762: a policy that could not be read counted as none at all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Access } from '../../../src/model/policy.ts';
import { publicAccess, withRig } from '../../proxy/rig.ts';

const broken: Access = {
  policies: [
    ...publicAccess.policies,
    {
      policy: { name: 'broken', mode: 'Enforce', rules: [], broken: 'rules[0]: unknown field' },
      attachment: 'Mandatory',
    },
  ],
  defaultAccess: 'Authenticated',
};
const none: Access = { policies: [], defaultAccess: 'Deny' };

test('a route without a sound policy refuses everybody, and tells the operator alone why', () =>
  withRig(
    {
      proxy: { decisionLog: 'denied' },
      hosts: (to) => [
        {
          host: 'app.example.com',
          routes: [
            to('/missing', publicAccess, { denied: 'Policy default/secret-name is missing' }),
            to('/broken', broken),
            to('/none', none),
          ],
        },
      ],
    },
    async ({ get, upstream, lines }) => {
      for (const path of ['/missing', '/broken', '/none']) {
        for (const cookie of ['a=b', '__Host-sallyport=good']) {
          const answer = await get(path, `Cookie: ${cookie}`);
          assert.equal(answer.status, 403, path);
          assert.doesNotMatch(answer.raw, /secret-name|unknown field/);
        }
      }
      assert.equal(upstream.requests.length, 0);
      assert.ok(lines.some(({ fault }) => fault === 'Policy default/secret-name is missing'));
    },
  ));
