// Tokens of a real provider: JWT access tokens by resource indicators (RFC 8707), and opaque ones that it is asked about.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { demoClient, startProvider } from '../../demo/provider.ts';
import type { RunningProvider } from '../../demo/provider.ts';
import { isRefused } from '../../src/auth/authority.ts';
import { Redacted } from '../../src/model/diagnostic.ts';
import { providerSettings } from './fake-provider.ts';
import { createHouse } from './rig.ts';
import type { House } from './rig.ts';

const [structured, plain] = ['https://api.example.com', 'https://opaque.example.com'];
let provider: RunningProvider;
let house: House;

before(async () => {
  provider = await startProvider({
    port: 0,
    redirectUris: ['https://auth.example.com/oauth2/callback'],
    configure: (configuration) => ({
      ...configuration,
      clients: (configuration.clients ?? []).map((client) => ({
        ...client,
        grant_types: [...(client.grant_types ?? ['authorization_code']), 'client_credentials'],
      })),
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        introspection: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_, resource) => ({
            scope: '',
            audience: resource,
            accessTokenTTL: 300,
            accessTokenFormat: resource === structured ? 'jwt' : 'opaque',
          }),
        },
      },
    }),
  });
  const { clientId, clientSecret } = demoClient;
  const settings = providerSettings('real', provider.issuer, {
    clientId,
    clientSecret: new Redacted(clientSecret),
    programs: { audiences: [structured, plain], introspection: { requireAudience: true } },
  });
  house = createHouse({ providers: [settings] });
});
after(async () => {
  await house.close();
  await provider.stop();
});

async function tokenFor(resource: string): Promise<string> {
  const { clientId, clientSecret } = demoClient;
  const answer = await fetch(`${provider.issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
  });
  const body = (await answer.json()) as { access_token?: string };
  assert(body.access_token !== undefined, JSON.stringify(body));
  return body.access_token;
}

const open = (token: string) =>
  house.authority.open('app.example.com', {
    kind: 'Bearer',
    token,
    origin: 'https://app.example.com',
    providers: ['real'],
  });

for (const resource of [structured, plain]) {
  test(`a token for ${resource} is a session of its client, and one for elsewhere none`, async () => {
    const token = await tokenFor(resource);
    assert.equal(token.split('.').length === 3, resource === structured);
    const opened = await open(token);
    assert(opened !== undefined && !isRefused(opened), JSON.stringify(opened));
    assert.equal(opened.session.identity.claims['client_id'], demoClient.clientId);
    assert.equal(opened.session.provider, 'real');
  });
}

test('a token for another audience is refused', async () => {
  assert.deepEqual(await open(await tokenFor('https://elsewhere.example.com')), {
    refused: 'The token is for another audience.',
  });
});
