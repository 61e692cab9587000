// oidc-provider over TLS, set up as a test wants it: a certified judge of how we authenticate, push and refresh.
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ClientMetadata, Configuration } from 'oidc-provider';
import { Agent, fetch } from 'undici';
import type { Account } from '../../demo/accounts.ts';
import { createProviderState, providerConfiguration } from '../../demo/provider-settings.ts';
import { Provider } from '../../demo/oidc-provider.ts';
import type { OidcSettings } from '../../src/model/settings.ts';
import { createCertificateAuthority } from '../integration/certificates.ts';
import type { CertificateAuthority } from '../integration/certificates.ts';
import { providerSettings } from './fake-provider.ts';
import { redirectUri } from './sign-in.ts';

export interface CertifiedProvider {
  readonly issuer: string;
  readonly authority: CertificateAuthority;
  /** Without a client secret. */
  readonly settings: OidcSettings;
  /** Each request so far: method and path. */
  readonly seen: string[];
  /** A browser's visit, in which Ana signs in: from an authorization URL to where it leads back. */
  authorize(url: URL): Promise<URL>;
  stop(): Promise<void>;
}

export interface CertifiedOptions {
  readonly client: Partial<ClientMetadata>;
  readonly configure?: (configuration: Configuration) => Configuration;
}

const ana: Account = {
  sub: 'ana',
  name: 'Ana',
  preferredUsername: 'ana',
  email: 'ana@example.com',
  emailVerified: true,
  groups: ['engineering'],
};

export async function startCertifiedProvider({
  client,
  configure = (configuration) => configuration,
}: CertifiedOptions): Promise<CertifiedProvider> {
  const authority = createCertificateAuthority();
  const own = authority.sign('localhost');
  const seen: string[] = [];
  const server = createServer({
    key: own.key,
    cert: own.certificate,
    ca: authority.ca,
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `https://localhost:${(server.address() as AddressInfo).port}`;
  const usual = providerConfiguration({
    client: { clientId: 'fake', clientSecret: 'x', redirectUris: [redirectUri], postLogoutRedirectUris: [] },
    accounts: new Map([[ana.sub, ana]]),
    state: createProviderState(),
    accessTokenSeconds: 600,
  });
  const { client_secret: _, ...metadata } = usual.clients?.[0] ?? {};
  const provider = new Provider(
    issuer,
    configure({ ...usual, clients: [{ ...metadata, ...client } as ClientMetadata] }),
  );
  const answer = provider.callback();
  server.on('request', (request, response) => {
    seen.push(`${request.method} ${request.url?.split('?', 1)[0]}`);
    if (!request.url?.startsWith('/interaction/')) void answer(request, response);
    else void provider.interactionFinished(request, response, { login: { accountId: 'ana' } });
  });
  const { clientSecret: _secret, ...open } = providerSettings('fake', issuer);
  const agent = new Agent({ connect: { ca: authority.ca } });
  return {
    issuer,
    authority,
    seen,
    settings: { ...open, allowInsecure: false, ca: authority.ca },
    authorize: (url) => follow(url, agent),
    async stop() {
      authority.close();
      await agent.close();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** mTLS of the provider, by what its listener found of the client's certificate. */
export const mutualTls: Configuration['features'] = {
  mTLS: {
    enabled: true,
    tlsClientAuth: true,
    selfSignedTlsClientAuth: true,
    getCertificate: ({ req }) => peer(req)?.toString(),
    certificateAuthorized: ({ req }) => (req.socket as TLSSocket).authorized,
    certificateSubjectMatches: ({ req }, property, expected) =>
      property === 'tls_client_auth_san_dns' && (peer(req)?.checkHost(expected) ?? '') === expected,
  },
};

function peer(request: IncomingMessage): X509Certificate | undefined {
  const { raw } = (request.socket as TLSSocket).getPeerCertificate();
  return raw === undefined ? undefined : new X509Certificate(raw);
}

async function follow(from: URL, dispatcher: Agent): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = from;
  while (url.hostname === 'localhost') {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
    const response = await fetch(url, { dispatcher, redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';', 1)[0] ?? '').split(/=(.*)/s);
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null) throw new Error(`${response.status} at ${url.href}: ${await response.text()}`);
    url = new URL(location, url);
  }
  return url;
}
