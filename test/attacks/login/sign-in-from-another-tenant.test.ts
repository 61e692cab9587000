// Signs in with an account of a tenant of one's own, at a provider that serves every tenant there is (CVE-2023-3128).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeProvider } from '../../auth/fake-provider.ts';
import { appHost, assertArrived, assertFailed, createBrowser, createHouse, visit } from './rig.ts';

const ours = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const theirs = '2d4d3d8e-2be3-4bef-9f87-7875a61c29de';

test('whoever is of a tenant that is not listed gets no session, whatever else their token says', async (t) => {
  const fake = await startFakeProvider();
  const issuerOf = (tenant: string) => `${fake.issuer}/${tenant}/v2.0`;
  fake.behaviour.issuer = issuerOf('{tenantid}');
  fake.behaviour.metadata = { authorization_response_iss_parameter_supported: undefined };
  fake.behaviour.callback = { iss: undefined };
  const settings = { ...fake.settings, issuer: `${fake.issuer}/organizations/v2.0`, tenants: [ours] };
  const house = createHouse({ providers: [settings] });
  t.after(async () => {
    await house.close();
    await fake.stop();
  });
  const url = `https://${appHost}/`;
  const visitAs = (claims: Record<string, unknown>) => {
    fake.behaviour.claims = { email: 'ceo@example.com', email_verified: true, ...claims };
    return visit(createBrowser(house, fake.authorize), url);
  };
  assertFailed(await visitAs({ tid: theirs, iss: issuerOf(theirs) }), 'Denied');
  // And neither by naming the one tenant here and the other there, nor by naming none or two.
  assertFailed(await visitAs({ tid: ours, iss: issuerOf(theirs) }), 'Invalid');
  assertFailed(await visitAs({ tid: theirs, iss: issuerOf(ours) }), 'Denied');
  assertFailed(await visitAs({ tid: [ours, theirs], iss: issuerOf(theirs) }), 'Invalid');
  assertFailed(await visitAs({ iss: issuerOf('{tenantid}') }), 'Invalid');
  assert.deepEqual(house.watched.writes, []);

  assertArrived(await visitAs({ tid: ours, iss: issuerOf(ours) }), url);
});
