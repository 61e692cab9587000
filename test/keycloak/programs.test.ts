// Programs that bring an access token of a real Keycloak, which its service accounts get by client credentials.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { send } from '../integration/client.ts';
import { until } from '../integration/rig.ts';
import { startKeycloakRig } from './rig.ts';
import type { KeycloakRig } from './rig.ts';

let rig: KeycloakRig;
before(async () => {
  rig = await startKeycloakRig('programs', { oidc: 'programs: {audiences: ["http://app.localhost:8080"]}' });
});
after(() => rig?.stop());

async function tokenOf(clientId: string): Promise<string> {
  const credentials = { client_id: clientId, client_secret: `${clientId}-secret` };
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...credentials });
  const answer = await fetch(`${rig.realm.issuer}/protocol/openid-connect/token`, { method: 'POST', body });
  return ((await answer.json()) as { access_token: string }).access_token;
}

const ask = (token: string) =>
  send(new URL(rig.url('app', '/json')), { headers: { accept: 'application/json', authorization: `Bearer ${token}` } });

test('a token whose audience is named lets its program in, and the application is told who it is', async () => {
  const answer = await ask(await tokenOf('robot'));
  assert.equal(answer.status, 200, answer.body);
  const { assertion } = JSON.parse(answer.body) as {
    assertion: { verified: boolean; claims: Record<string, unknown> };
  };
  assert.equal(assertion.verified, true);
  assert.equal(assertion.claims['sub'], await rig.realm.userId('service-account-robot'));
});

test('a token of the same realm for somebody else, and one that was changed, get 401 with the reason', async () => {
  const good = await tokenOf('robot');
  const [header, payload = '', signature] = good.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  const raised = Buffer.from(JSON.stringify({ ...claims, groups: ['engineering'] })).toString('base64url');
  for (const token of [await tokenOf('stranger'), `${header}.${raised}.${signature}`]) {
    const answer = await ask(token);
    assert.equal(answer.status, 401);
    assert.match(answer.headers['www-authenticate'] ?? '', /error="invalid_token"/);
  }
});

test('a key that Keycloak signs with since a moment ago is fetched, at most every ten seconds', async () => {
  await rig.realm.rotateKey();
  const token = await tokenOf('robot');
  await until(async () => (await ask(token)).status === 200, 30_000, 'its token is good');
});
