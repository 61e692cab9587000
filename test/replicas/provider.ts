// An OpenID provider that counts: refresh tokens are used once, and a second use ends the whole family (RFC 9700, section 4.14.2).
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair } from 'jose';
import { sendJson, signWith } from '../auth/fake-provider.ts';

/** What a provider in trouble does with every call, or with those to the token endpoint alone. */
export type Trouble = 'Hangs' | 'Answers500' | 'Answers429';

export interface Counts {
  /** Calls of every kind, a browser's among them. */
  readonly calls: number;
  readonly refreshes: number;
  /** Refresh tokens that came a second time. */
  readonly reuses: number;
}

export interface CountingProvider {
  readonly issuer: string;
  counts(): Counts;
  /** From now on, for tokens given. */
  tokensLive(seconds: number): void;
  /** The next refresh is done, and its answer kept back: resolves when it has come. `letGo` sends the answer. */
  holdRefresh(): { readonly arrived: Promise<void>; letGo(): void };
  trouble(trouble: Trouble | undefined, where?: 'Everywhere' | 'TokenEndpoint'): void;
  /** Connections are refused. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

export const clientId = 'sallyport';

interface Family {
  /** The one that may be used; absent: the family has ended. */
  current?: string;
}

export async function startCountingProvider(): Promise<CountingProvider> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'counting-1', alg: 'ES256', use: 'sig' };
  const nonces = new Map<string, string>();
  const families = new Map<string, Family>();
  const counts = { calls: 0, refreshes: 0, reuses: 0 };
  let seconds = 3_600;
  let held: { readonly arrived: () => void; readonly go: Promise<void> } | undefined;
  let inTrouble: { readonly trouble: Trouble; readonly everywhere: boolean } | undefined;
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  const issuer = `http://localhost:${port}`;

  async function answerTokens(response: ServerResponse, family: Family, nonce?: string) {
    const token = randomBytes(24).toString('base64url');
    family.current = token;
    families.set(token, family);
    const now = Math.floor(Date.now() / 1_000);
    const person = { sub: 'ana', email: 'ana@example.com', email_verified: true, groups: ['engineering'] };
    const claims = { iss: issuer, aud: clientId, iat: now, exp: now + 3_600, ...person, ...(nonce && { nonce }) };
    sendJson(response, 200, {
      id_token: await signWith(privateKey, claims, { alg: 'ES256', kid: 'counting-1' }),
      access_token: randomBytes(24).toString('base64url'),
      refresh_token: token,
      token_type: 'Bearer',
      expires_in: seconds,
    });
  }

  async function refresh(token: string, response: ServerResponse) {
    counts.refreshes += 1;
    const family = families.get(token);
    const isReuse = family !== undefined && family.current !== token;
    if (isReuse) {
      counts.reuses += 1;
      delete family.current;
    }
    if (family === undefined || isReuse) return sendJson(response, 400, { error: 'invalid_grant' });
    const waiting = held;
    held = undefined;
    // Spent from here on, whether or not the answer arrives.
    family.current = '';
    waiting?.arrived();
    await waiting?.go;
    await answerTokens(response, family);
  }

  const paths: Record<string, (request: IncomingMessage, response: ServerResponse) => void | Promise<void>> = {
    '/.well-known/openid-configuration': (_, response) => sendJson(response, 200, metadata(issuer)),
    '/jwks': (_, response) => sendJson(response, 200, { keys: [jwk] }),
    '/authorize'(request, response) {
      const asked = new URL(request.url ?? '', issuer).searchParams;
      const code = randomBytes(24).toString('base64url');
      nonces.set(code, asked.get('nonce') ?? '');
      const back = new URL(asked.get('redirect_uri') ?? '');
      for (const [name, value] of Object.entries({ code, state: asked.get('state') ?? '', iss: issuer }))
        back.searchParams.set(name, value);
      response.writeHead(302, { location: back.href }).end();
    },
    async '/token'(request, response) {
      const form = new URLSearchParams(await text(request));
      if (form.get('grant_type') === 'refresh_token') return refresh(form.get('refresh_token') ?? '', response);
      const nonce = nonces.get(form.get('code') ?? '');
      if (nonce === undefined) return sendJson(response, 400, { error: 'invalid_grant' });
      await answerTokens(response, {}, nonce);
    },
  };

  function answer(request: IncomingMessage, response: ServerResponse): void {
    counts.calls += 1;
    const { pathname } = new URL(request.url ?? '', issuer);
    if (inTrouble !== undefined && (inTrouble.everywhere || pathname === '/token')) {
      if (inTrouble.trouble === 'Hangs') return;
      response.setHeader('retry-after', '1');
      return sendJson(response, inTrouble.trouble === 'Answers500' ? 500 : 429, { error: 'temporarily_unavailable' });
    }
    const path = paths[pathname];
    if (path === undefined) sendJson(response, 404, {});
    else void path(request, response);
  }
  server.on('request', answer);

  return {
    issuer,
    counts: () => ({ ...counts }),
    tokensLive(wanted) {
      seconds = wanted;
    },
    holdRefresh() {
      const arrived = Promise.withResolvers<void>();
      const go = Promise.withResolvers<void>();
      held = { arrived: arrived.resolve, go: go.promise };
      return { arrived: arrived.promise, letGo: go.resolve };
    },
    trouble(trouble, where = 'Everywhere') {
      inTrouble = trouble && { trouble, everywhere: where === 'Everywhere' };
    },
    down: () => close(server),
    async up() {
      server = await listen(port);
      server.on('request', answer);
    },
    stop: () => close(server),
  };
}

const metadata = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  grant_types_supported: ['authorization_code', 'refresh_token'],
  id_token_signing_alg_values_supported: ['ES256'],
  authorization_response_iss_parameter_supported: true,
});

async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
