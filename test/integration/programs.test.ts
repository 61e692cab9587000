// Programs through the whole process, with tokens of a real provider: who is let in, what the application gets, and when it ends.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { after, before, mock, test } from 'node:test';
import { WebSocket } from 'ws';
import type { Configuration } from 'oidc-provider';
import { send } from './client.ts';
import { startRig, until } from './rig.ts';
import type { Rig } from './rig.ts';

const audience = 'https://api.example.com';
/** What tokens are asked for, each with how long it lives and what it looks like (RFC 8707). */
const resources = {
  jwt: { resource: `${audience}/jwt`, format: 'jwt', seconds: 300 },
  opaque: { resource: `${audience}/opaque`, format: 'opaque', seconds: 300 },
  short: { resource: `${audience}/short`, format: 'jwt', seconds: 30 },
  elsewhere: { resource: 'https://elsewhere.example.com', format: 'jwt', seconds: 300 },
} as const;
const secrets = { robot: 'robot-secret', stranger: 'stranger-secret' } as const;
type Client = keyof typeof secrets;

const api = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: api
  namespace: demo
  annotations: {sallyport.dev/policy: robots}
spec:
  ingressClassName: sallyport
  rules:
    - host: api.localhost
      http:
        paths:
          - {path: /events, pathType: Prefix, backend: {service: {name: clock, port: {name: http}}}}
          - {path: /socket, pathType: Prefix, backend: {service: {name: clock, port: {name: http}}}}
          - {path: /, pathType: Prefix, backend: {service: {name: mirror, port: {name: http}}}}
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: robots, namespace: demo}
spec:
  rules:
    - allow:
        and: [{claim: {path: [client_id], is: robot}}]
`;

const programs = `
    programs:
      audiences: [${audience}/jwt, ${audience}/opaque, ${audience}/short]
      introspection: {}`;

let rig: Rig;
before(async () => {
  // The clock of everything in this process: it stands still until a test moves it.
  mock.timers.enable({ apis: ['Date'], now: Date.now() });
  rig = await startRig({
    prepare: (text) => text.replace('clientID: sallyport', `clientID: sallyport${programs}`),
    provider: { configure: withPrograms },
    files: { 'api.yaml': api },
  });
});
after(async () => {
  await rig.stop();
  mock.timers.reset();
});

function withPrograms(configuration: Configuration): Configuration {
  const machines = Object.entries(secrets).map(([name, secret]) => ({
    client_id: name,
    client_secret: secret,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
  }));
  return {
    ...configuration,
    clients: [...(configuration.clients ?? []), ...machines],
    ttl: { ...configuration.ttl, ClientCredentials: (_, token) => token.resourceServer?.accessTokenTTL ?? 300 },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_, client) => client.clientAuthMethod !== 'none' },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, wanted) => {
          const { seconds, format } = Object.values(resources).find(({ resource }) => resource === wanted) ?? {};
          return {
            scope: '',
            audience: wanted,
            ...(seconds !== undefined && { accessTokenTTL: seconds, accessTokenFormat: format }),
          };
        },
      },
    },
  };
}

async function atProvider(path: string, client: Client, form: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(`${rig.provider.issuer}${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client}:${secrets[client]}`).toString('base64')}` },
    body: new URLSearchParams(form),
  });
}

async function tokenFor(wanted: keyof typeof resources, client: Client = 'robot'): Promise<string> {
  const { resource } = resources[wanted];
  const answer = await atProvider('/token', client, { grant_type: 'client_credentials', resource });
  const { access_token: token } = (await answer.json()) as { access_token?: string };
  assert(token !== undefined, `the provider gives a token for ${resource}`);
  return token;
}

const ask = (token: string, headers: Readonly<Record<string, string>> = {}) =>
  send(new URL(rig.url('api', '/json')), {
    headers: { accept: 'application/json', authorization: `Bearer ${token}`, ...headers },
  });

interface Reflection {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly assertion: { readonly verified: boolean; readonly claims: Readonly<Record<string, unknown>> } | null;
}

for (const kind of ['jwt', 'opaque'] as const) {
  test(`a token of format ${kind} is let in, and the application gets the assertion and never the token`, async () => {
    const token = await tokenFor(kind);
    assert.equal(token.split('.').length === 3, kind === 'jwt');
    const answer = await ask(token);
    assert.equal(answer.status, 200, answer.body);
    const { assertion, headers } = JSON.parse(answer.body) as Reflection;
    assert.equal(assertion?.verified, true);
    assert.equal(headers['authorization'], undefined);
    assert(!answer.body.includes(token));
    assert(!JSON.stringify(rig.log).includes(token), 'nor does the log hold it');
  });
}

test('a token for another audience gets 401 and the reason, and a browser that brings one no redirect', async () => {
  const token = await tokenFor('elsewhere');
  for (const headers of [{}, { accept: 'text/html', 'sec-fetch-mode': 'navigate' }]) {
    const answer = await ask(token, headers);
    assert.equal(answer.status, 401);
    assert.equal(answer.headers.location, undefined);
    assert.match(
      String(answer.headers['www-authenticate']),
      /^Bearer realm="api\.localhost", error="invalid_token", error_description="The token is for another audience\."$/,
    );
  }
});

test('a good token of another program is refused by the policy: 403', async () => {
  assert.equal((await ask(await tokenFor('jwt', 'stranger'))).status, 403);
});

/** Moves the clock, and says how long each stream took from then on. */
async function closedAfter(streams: readonly Promise<unknown>[], ms: number): Promise<readonly number[]> {
  const began = performance.now();
  mock.timers.tick(ms);
  return Promise.all(streams.map((closed) => closed.then(() => performance.now() - began)));
}

/** An event stream and a WebSocket that have both told something; each promise is kept when it closes. */
async function openStreams(token: string): Promise<readonly Promise<unknown>[]> {
  const [host, port] = [`api.localhost:${rig.port}`, rig.port];
  const headers = { host, authorization: `Bearer ${token}` };
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, { headers });
  const request = httpRequest({ host: '127.0.0.1', port, path: '/events', headers, agent: false }).end();
  request.on('error', () => undefined);
  const told = once(socket, 'message');
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
  assert.equal(response.statusCode, 200);
  response.on('error', () => undefined);
  await Promise.all([told, once(response, 'data')]);
  response.resume();
  return [once(socket, 'close'), new Promise((resolve) => response.once('close', resolve))];
}

test('what a program holds open ends when its token expires, not before', async () => {
  const token = await tokenFor('short');
  const streams = await openStreams(token);
  let isOpen = true;
  void Promise.race(streams).then(() => (isOpen = false));
  mock.timers.tick(28_000);
  await new Promise((resolve) => void setTimeout(resolve, 1_500));
  assert(isOpen, 'two seconds before');
  const took = await closedAfter(streams, 2_000);
  console.log(`closed ${took.map((ms) => ms.toFixed(0)).join(' and ')} ms after the token had expired`);
  assert(Math.max(...took) < 3_000);
  assert.match(String((await ask(token)).headers['www-authenticate']), /error="invalid_token"/);
});

test('a token that the provider has revoked counts for a minute more at the most, and so does what it holds open', async () => {
  const token = await tokenFor('opaque');
  const streams = await openStreams(token);
  assert.equal((await atProvider('/token/revocation', 'robot', { token })).status, 200);
  mock.timers.tick(58_000);
  assert.equal((await ask(token)).status, 200, 'it is believed for a minute, and not asked about with each request');
  const took = await closedAfter(streams, 2_000);
  assert(Math.max(...took) < 3_000);
  await until(async () => (await ask(token)).status === 401, 1_000, 'it is refused');
  assert.match(String((await ask(token)).headers['www-authenticate']), /error="invalid_token".*not active/);
});
