// CVE-2026-30851, CVE-2026-39998: where the provider named no groups, the client's own header stayed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeaderPreset } from '../../../src/model/settings.ts';
import { sentHeader, session, withRig } from '../../proxy/rig.ts';

const presets: readonly [HeaderPreset, ...string[]][] = [
  ['Sallyport', 'X-Sallyport-Email', 'X-Sallyport-Groups'],
  ['Pomerium', 'X-Pomerium-Claim-Email', 'X-Pomerium-Claim-Groups'],
  [
    'OAuth2Proxy',
    'X-Auth-Request-Email',
    'X-Auth-Request-Groups',
    'X-Forwarded-Email',
    'X-Forwarded-Preferred-Username',
  ],
  ['GoogleIAP', 'X-Goog-Authenticated-User-Email'],
  ['CloudflareAccess', 'Cf-Access-Authenticated-User-Email'],
];

for (const [preset, ...names] of presets) {
  test(`what the provider did not say has no header (${preset})`, () =>
    withRig(
      { settings: { identityHeaders: { preset, assertion: 'Shared', claims: { 'X-Team': 'team' } } } },
      async ({ get, authority, upstream }) => {
        authority.sessions.set('bare', session('s', { identity: { user: 'bare', groups: [], claims: {} } }));
        const forged = [...names, 'X-Team', 'X_Team'].map((name) => `${name}: forged`);
        assert.equal((await get('/private', 'Cookie: __Host-sallyport=bare', ...forged)).status, 200);
        assert.doesNotMatch(upstream.requests[0] ?? '', /forged/);
        for (const name of names) assert.equal(sentHeader(upstream.requests[0], name), undefined, name);
      },
    ));
}
