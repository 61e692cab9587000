// CVE-2022-24112, CVE-2023-36456, CVE-2024-21494: a rule on the client's address asked a header of the client's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Access } from '../../../src/model/policy.ts';
import { withRig } from '../../proxy/rig.ts';

const fromOffice: Access = {
  policies: [
    {
      policy: {
        name: 'office',
        mode: 'Enforce',
        rules: [{ allow: { and: [{ sourceIp: { is: '203.0.113.0/24' } }] } }],
      },
      attachment: 'Own',
    },
  ],
  defaultAccess: 'Deny',
};
const hosts: Parameters<typeof withRig>[0]['hosts'] = (to) => [
  { host: 'app.example.com', routes: [to('/', fromOffice)] },
];
const claims = [
  'X-Forwarded-For: 203.0.113.7',
  'X-Real-IP: 203.0.113.7',
  'True-Client-IP: 203.0.113.7',
  'Forwarded: for=203.0.113.7',
];

test('by default nobody is a trusted proxy', () =>
  withRig({ hosts }, async ({ get, upstream }) => {
    assert.equal((await get('/', ...claims)).status, 403);
    assert.equal(upstream.requests.length, 0);
  }));

test('behind a trusted proxy the right-most untrusted address counts, and nothing left of it', () =>
  withRig({ hosts, settings: { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] } }, async ({ get }) => {
    const status = async (...lines: string[]): Promise<number> => (await get('/', ...lines)).status;
    assert.equal(await status('X-Forwarded-For: 203.0.113.7'), 200);
    assert.equal(await status('X-Forwarded-For: 203.0.113.7, 10.1.1.1'), 200);
    assert.equal(await status('X-Forwarded-For: 203.0.113.7', 'X-Forwarded-For: 10.1.1.1'), 200);
    assert.equal(await status('X-Forwarded-For: 203.0.113.7, 198.51.100.1'), 403);
    assert.equal(await status('X-Forwarded-For: 203.0.113.7', 'X-Forwarded-For: 198.51.100.1'), 403);
    assert.equal(await status('X-Forwarded-For: 203.0.113.7, unknown'), 403);
    assert.equal(await status('X-Forwarded-For: 203.0.113.7, 0x7f.1'), 403);
    assert.equal(await status('X-Forwarded-For: 203.0.113.7,'), 403);
    assert.equal(await status('X-Real-IP: 203.0.113.7'), 403);
  }));
