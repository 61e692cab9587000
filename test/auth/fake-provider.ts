// A small OpenID provider that does as it is told: honest until a test makes it lie, stall or fall silent.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';
import { Redacted } from '../../src/model/diagnostic.ts';
import type { OidcSettings } from '../../src/model/settings.ts';

type Answerer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

interface Grant {
  readonly nonce: string;
  readonly challenge: string;
  readonly method: string;
  readonly redirectUri: string;
}

/** What a test may change while the provider runs. */
export interface Behaviour {
  /** What it calls itself, where that is not where it listens. */
  issuer?: string;
  /** Members of the discovery document, over the honest ones; `undefined` takes one away. */
  metadata: Record<string, unknown>;
  /** Claims of the id token, over the honest ones. */
  claims: Record<string, unknown>;
  /** Members of the token endpoint's answer, over the honest ones; `undefined` takes one away. */
  answer: Record<string, unknown>;
  /** A refresh token works once, and brings the next. */
  rotates: boolean;
  /** What userinfo says besides `sub`. */
  userinfo: Record<string, unknown>;
  /** Makes the id token of the claims, instead of an honest signature. */
  sign?: (claims: JWTPayload) => Promise<string> | string;
  /** Answers a path by itself. */
  readonly instead: Map<string, Answerer>;
  /** Parameters of the callback, over the honest ones; `undefined` takes one away. */
  callback: Record<string, string | undefined>;
}

export interface FakeProvider {
  readonly issuer: string;
  readonly behaviour: Behaviour;
  /** How often each path was asked for. */
  readonly calls: Map<string, number>;
  readonly publicJwk: JWK;
  readonly privateKey: CryptoKey;
  /** Every token given so far. */
  readonly tokens: string[];
  readonly settings: OidcSettings;
  /** A browser's visit: from an authorization or end-session URL to where it leads back. Nobody is asked anything. */
  authorize(url: URL): Promise<URL>;
  stop(): Promise<void>;
}

const fakeSecret = 'a secret/that+needs%encoding';

export async function startFakeProvider(name = 'fake'): Promise<FakeProvider> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid: `${name}-1`, alg: 'ES256', use: 'sig' };
  const grants = new Map<string, Grant>();
  const calls = new Map<string, number>();
  const refreshTokens = new Set<string>();
  const behaviour: Behaviour = {
    metadata: {},
    claims: {},
    answer: {},
    rotates: true,
    userinfo: {},
    instead: new Map(),
    callback: {},
  };
  const tokens: string[] = [];
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;

  const itself = () => behaviour.issuer ?? issuer;
  const metadata = () => ({
    issuer: itself(),
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/jwks`,
    end_session_endpoint: `${issuer}/end`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    authorization_response_iss_parameter_supported: true,
    ...behaviour.metadata,
  });

  async function token(request: IncomingMessage, response: ServerResponse) {
    const form = new URLSearchParams(await bodyOf(request));
    const basic = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString();
    const isKnown = basic === expectedBasic(name);
    const grant = form.get('grant_type') === 'refresh_token' ? refreshGrant(form) : codeGrant(form);
    if (grant === undefined || !isKnown) {
      return sendJson(response, 400, { error: isKnown ? 'invalid_grant' : 'invalid_client' });
    }
    const seconds = Math.floor(Date.now() / 1000);
    const claims = {
      iss: itself(),
      aud: name,
      sub: 'ana',
      iat: seconds,
      exp: seconds + 300,
      ...grant,
      email: 'ana@example.com',
      email_verified: true,
      groups: ['engineering'],
      ...behaviour.claims,
    };
    const idToken = await (behaviour.sign ?? honest)(claims);
    const refreshToken = form.get('refresh_token');
    const answer = {
      id_token: idToken,
      access_token: random(),
      ...((refreshToken === null || behaviour.rotates) && { refresh_token: random() }),
      token_type: 'Bearer',
      expires_in: 300,
      ...behaviour.answer,
    };
    if (answer.refresh_token !== undefined) refreshTokens.add(answer.refresh_token);
    tokens.push(...[answer.id_token, answer.access_token, answer.refresh_token].filter((one) => one !== undefined));
    sendJson(response, 200, answer);
  }

  function codeGrant(form: URLSearchParams) {
    const grant = grants.get(form.get('code') ?? '');
    grants.delete(form.get('code') ?? '');
    return grant && grantFault(grant, form) === undefined ? { nonce: grant.nonce } : undefined;
  }

  // Without a nonce, as OpenID Connect Core 1.0, section 12.2, recommends.
  function refreshGrant(form: URLSearchParams) {
    const refreshToken = form.get('refresh_token') ?? '';
    const isKnown = behaviour.rotates ? refreshTokens.delete(refreshToken) : refreshTokens.has(refreshToken);
    return isKnown ? {} : undefined;
  }
  const honest = (claims: JWTPayload) => signWith(privateKey, claims, { alg: 'ES256', kid: `${name}-1` });

  function authorize(request: IncomingMessage, response: ServerResponse) {
    const asked = new URL(request.url ?? '', issuer).searchParams;
    const code = random();
    grants.set(code, {
      nonce: asked.get('nonce') ?? '',
      challenge: asked.get('code_challenge') ?? '',
      method: asked.get('code_challenge_method') ?? '',
      redirectUri: asked.get('redirect_uri') ?? '',
    });
    const back = new URL(asked.get('redirect_uri') ?? '');
    const parameters = { code, state: asked.get('state') ?? '', iss: itself(), ...behaviour.callback };
    for (const [key, value] of Object.entries(parameters)) if (value !== undefined) back.searchParams.set(key, value);
    response.writeHead(302, { location: back.href }).end();
  }

  function endSession(request: IncomingMessage, response: ServerResponse) {
    const asked = new URL(request.url ?? '', issuer).searchParams;
    const back = new URL(asked.get('post_logout_redirect_uri') ?? '');
    back.searchParams.set('state', asked.get('state') ?? '');
    response.writeHead(302, { location: back.href }).end();
  }

  const paths: Record<string, Answerer> = {
    '/.well-known/openid-configuration': (_, response) => sendJson(response, 200, metadata()),
    '/jwks': (_, response) => sendJson(response, 200, { keys: [publicJwk] }),
    '/authorize': authorize,
    '/token': token,
    '/end': endSession,
    '/userinfo': (_, response) => sendJson(response, 200, { sub: 'ana', ...behaviour.userinfo }),
  };
  server.on('request', (request, response) => {
    // Wherever the issuer is, its document is below it.
    const path = new URL(request.url ?? '', issuer).pathname.replace(/^.*(?=\/\.well-known\/openid-)/, '');
    calls.set(path, (calls.get(path) ?? 0) + 1);
    const answer = behaviour.instead.get(path) ?? paths[path];
    if (answer === undefined) sendJson(response, 404, {});
    else void answer(request, response);
  });
  return {
    issuer,
    behaviour,
    calls,
    publicJwk,
    privateKey,
    tokens,
    settings: providerSettings(name, issuer),
    async authorize(url) {
      const response = await fetch(url, { redirect: 'manual' });
      return new URL(response.headers.get('location') ?? '');
    },
    stop: () => stop(server),
  };
}

/** Settings for a provider of the tests. */
export function providerSettings(name: string, issuer: string, more: Partial<OidcSettings> = {}): OidcSettings {
  return {
    kind: 'OpenIDConnect',
    name,
    issuer,
    allowInsecure: true,
    clientId: name,
    clientSecret: new Redacted(fakeSecret),
    scopes: ['openid', 'email', 'profile', 'groups', 'offline_access'],
    claims: { user: ['sub'], email: ['email'], groups: ['groups'] },
    pushedRequests: 'Auto',
    allowUnverifiedEmail: false,
    authorizationParameters: {},
    logoutAtProvider: true,
    ...more,
  };
}

export function signWith(
  key: CryptoKey | Uint8Array,
  claims: JWTPayload,
  header: { alg: string; kid?: string; typ?: string },
) {
  return new SignJWT(claims).setProtectedHeader(header).sign(key);
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const random = () => randomBytes(24).toString('base64url');

// RFC 6749, section 2.3.1: both parts are form-encoded before they are joined.
function expectedBasic(clientId: string): string {
  return `${clientId}:${new URLSearchParams({ v: fakeSecret }).toString().slice(2)}`;
}

function grantFault(grant: Grant, form: URLSearchParams): string | undefined {
  const verifier = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url');
  if (grant.redirectUri !== form.get('redirect_uri')) return 'invalid_grant';
  return grant.method === 'S256' && grant.challenge === verifier ? undefined : 'invalid_grant';
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
