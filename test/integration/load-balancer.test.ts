// Behind a load balancer that ends TLS (promise 16): a whole sign-in over https of which Sallyport sees plain http alone.
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { after, before, test } from 'node:test';
import { listenOnLoopback, stopServer } from '../../demo/serving.ts';
import { createCertificateAuthority } from './certificates.ts';
import { createClient } from './client.ts';
import { startRig } from './rig.ts';
import type { Rig } from './rig.ts';

const authority = createCertificateAuthority();
const { ca } = authority;
const setCookies: string[] = [];
let rig: Rig;
let balancer: Server;
let port: number;

before(async () => {
  const { certificate, key } = authority.sign('app.localhost', 'auth.localhost');
  balancer = createServer({ cert: certificate, key }, (request, response) => {
    const headers = { ...request.headers, 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.9' };
    const { method, url: path } = request;
    const outgoing = httpRequest(
      { host: '127.0.0.1', port: rig.port, method, path, headers, agent: false },
      (answer) => {
        setCookies.push(...(answer.headers['set-cookie'] ?? []));
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
      },
    );
    outgoing.once('error', () => response.destroy());
    request.pipe(outgoing);
  });
  port = await listenOnLoopback(balancer, 0);
  const hosts = ['auth', 'app'].map((host) => `https://${host}.localhost:${port}`);
  rig = await startRig({
    prepare: (text) =>
      text.replace(
        /^( *)authenticationHost:.*$/m,
        `$1authenticationHost: auth.localhost:${port}\n$1trustedProxies: [127.0.0.1/32]`,
      ),
    provider: {
      redirectUris: hosts.map((host) => `${host}/oauth2/callback`),
      postLogoutRedirectUris: hosts.map((host) => `${host}/.sallyport/signed-out`),
    },
  });
});
after(async () => {
  await rig?.stop();
  await stopServer(balancer);
  authority.close();
});

test('a person signs in, the application hears of https and of the client, and every step of ours is https', async () => {
  const client = createClient();
  const asked = `https://app.localhost:${port}/json?a=b`;
  // What a client says of itself, the balancer writes over.
  const page = await client.visit(asked, { ca, headers: { 'x-forwarded-proto': 'http' } });
  assert.match(page.url.href, /\/interaction\//);
  const arrived = await client.signIn(page, 'account-ana', { ca });
  assert.equal(arrived.url.href, asked);
  assert.equal(arrived.status, 200);
  const { headers, assertion } = JSON.parse(arrived.body) as {
    headers: Record<string, string>;
    assertion: { claims: Record<string, unknown> };
  };
  assert.equal(headers['x-forwarded-proto'], 'https');
  assert.equal(headers['x-forwarded-for'], '203.0.113.9, 127.0.0.1');
  assert.equal(headers['x-forwarded-host'], `app.localhost:${port}`);
  assert.equal(assertion.claims['iss'], `https://auth.localhost:${port}`);
  const ours = client.hops.filter(({ hostname }) => /^(app|auth)\.localhost$/.test(hostname));
  assert.ok(ours.length >= 5 && ours.length <= 8, `${ours.length} steps`);
  for (const hop of ours) assert.equal(hop.protocol, 'https:', hop.href);
  assert.ok(setCookies.length > 0);
  for (const line of setCookies) assert.match(line, /^__Host-[^;]+(; [^;]+)*; Secure(;|$)/);
});
