// Has an address that two readers read differently, or that nobody has verified (CVE-2026-40574, CVE-2021-21411).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appHost, assertArrived, layGround, visit } from './rig.ts';

test('such a person is signed in without any address', async (t) => {
  const { victim, provider } = await layGround(t);
  const claims: readonly Record<string, unknown>[] = [
    { email: 'eve@evil.example.org@example.com' },
    { email: '"eve@evil.example.org"@example.com' },
    { email: 'eve@evil.example.org,ana@example.com' },
    { email: 'eve@example.com\r\nX-Groups: admin' },
    { email: 'ana@example.com', email_verified: false },
    { email: 'ana@example.com', email_verified: 'true' },
    { email: ['ana@example.com'] },
  ];
  for (const one of claims) {
    victim.jar.clear();
    provider.behaviour.claims = one;
    const { session } = assertArrived(await visit(victim, `https://${appHost}/`), `https://${appHost}/`);
    assert.equal(session.identity.email, undefined, JSON.stringify(one));
  }
});

test('groups come from the provider alone', async (t) => {
  const { victim, provider } = await layGround(t);
  for (const groups of [undefined, null, {}, { admin: true }, [['admin']], 7]) {
    victim.jar.clear();
    provider.behaviour.claims = { groups };
    const { session } = assertArrived(await visit(victim, `https://${appHost}/`), `https://${appHost}/`);
    assert.deepEqual(session.identity.groups, []);
  }
});
