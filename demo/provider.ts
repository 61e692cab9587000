// A real OpenID provider on this computer, for the demo and the tests: `bin/node demo/provider.ts --port 9400`.
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import type { Configuration, Provider as OidcProvider } from 'oidc-provider';
import { demoAccounts, demoPassword } from './accounts.ts';
import type { Account } from './accounts.ts';
import { Provider } from './oidc-provider.ts';
import { errorPage, frontPage } from './provider-pages.ts';
import { interact } from './provider-sign-in.ts';
import { createProviderState, providerConfiguration } from './provider-settings.ts';
import type { ClientOptions, ProviderState } from './provider-settings.ts';
import { listenOnLoopback, parsePort, runProgram, sendPage, stopServer } from './serving.ts';

/** The client that Sallyport is here, and its secret: the demo's manifests say the same. */
export const demoClient = { clientId: 'sallyport', clientSecret: 'demo-only-not-a-secret' } as const;

export interface ProviderOptions {
  /** 0: any that is free. */
  readonly port: number;
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris?: readonly string[];
  /** Where the provider says that a person has signed out; absent: it tells nobody. */
  readonly backchannelLogoutUri?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** How long an access token lives; by default ten minutes. */
  readonly accessTokenSeconds?: number;
  /** The people, by `sub`; the map may change while the provider runs. */
  readonly accounts?: Map<string, Account>;
  /** What an earlier provider left, to be that provider again. */
  readonly state?: ProviderState;
  /** Changes how the provider behaves; gets what it would be. */
  readonly configure?: (configuration: Configuration) => Configuration;
  /** Sees each request first; `true`: it has answered by itself. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;
}

/** How often each endpoint was called, and how the token endpoint answered. */
export interface Seen {
  discovery: number;
  keys: number;
  authorization: number;
  token: number;
  codeExchanges: number;
  refreshes: number;
  refusedGrants: number;
  userinfo: number;
  endSession: number;
}

export interface RunningProvider {
  readonly issuer: string;
  readonly port: number;
  readonly accounts: Map<string, Account>;
  readonly seen: Readonly<Seen>;
  readonly state: ProviderState;
  /** Closes every connection and frees the port. */
  stop(): Promise<void>;
}

const endpointCounts: Readonly<Record<string, keyof Seen>> = {
  '/.well-known/openid-configuration': 'discovery',
  '/jwks': 'keys',
  '/auth': 'authorization',
  '/token': 'token',
  '/me': 'userinfo',
  '/session/end': 'endSession',
};

/** Starts a provider on 127.0.0.1. @throws {Error} with code `EADDRINUSE` where the port is taken. */
export async function startProvider(options: ProviderOptions): Promise<RunningProvider> {
  const { accounts = demoAccounts(), state = createProviderState(), accessTokenSeconds = 600 } = options;
  const { configure = (configuration) => configuration, intercept } = options;
  const server = createServer();
  const port = await listenOnLoopback(server, options.port);
  const issuer = `http://localhost:${port}`;
  const seen = nothingSeen();
  const configuration = providerConfiguration({ client: clientOf(options), accounts, state, accessTokenSeconds });
  const provider = new Provider(issuer, configure(configuration));
  countGrants(provider, seen);
  const answerByLibrary = provider.callback();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pathname = request.url?.split('?', 1)[0] ?? '/';
    const count = endpointCounts[pathname];
    if (count !== undefined) seen[count] += 1;
    if (await intercept?.(request, response)) return;
    if (pathname === '/') return sendPage(response, 200, frontPage(issuer, accounts.values()));
    if (pathname.startsWith('/interaction/')) return interact(provider, accounts, request, response);
    await answerByLibrary(request, response);
  }

  server.on('request', (request, response) => {
    answer(request, response).catch((error: unknown) => {
      // A browser that went away in the middle is no failure.
      if (response.destroyed) return;
      console.error(error);
      if (response.headersSent) response.destroy();
      else sendPage(response, 500, errorPage('server_error', 'The demo provider failed; its log says why.'));
    });
  });
  return { issuer, port, accounts, seen, state, stop: () => stopServer(server) };
}

function clientOf(options: ProviderOptions): ClientOptions {
  const { backchannelLogoutUri } = options;
  return {
    clientId: options.clientId ?? demoClient.clientId,
    clientSecret: options.clientSecret ?? demoClient.clientSecret,
    redirectUris: options.redirectUris,
    postLogoutRedirectUris: options.postLogoutRedirectUris ?? [],
    ...(backchannelLogoutUri !== undefined && { backchannelLogoutUri }),
  };
}

function nothingSeen(): Seen {
  return {
    discovery: 0,
    keys: 0,
    authorization: 0,
    token: 0,
    codeExchanges: 0,
    refreshes: 0,
    refusedGrants: 0,
    userinfo: 0,
    endSession: 0,
  };
}

function countGrants(provider: OidcProvider, seen: Seen): void {
  provider.on('grant.success', (ctx) => {
    seen[ctx.oidc.params?.['grant_type'] === 'refresh_token' ? 'refreshes' : 'codeExchanges'] += 1;
  });
  provider.on('grant.error', () => {
    seen.refusedGrants += 1;
  });
}

const usage = `usage: demo/provider.ts [--port 9400] [--redirect-uri URL]... [--post-logout-redirect-uri URL]...
                        [--backchannel-logout-uri URL] [--client-id ID] [--client-secret SECRET]
                        [--access-token-seconds N]`;

async function main(): Promise<RunningProvider & { readonly greeting: string }> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '9400' },
      'redirect-uri': { type: 'string', multiple: true, default: ['http://auth.localhost:8080/oauth2/callback'] },
      'post-logout-redirect-uri': {
        type: 'string',
        multiple: true,
        default: ['http://auth.localhost:8080/.sallyport/signed-out'],
      },
      'backchannel-logout-uri': { type: 'string' },
      'client-id': { type: 'string', default: demoClient.clientId },
      'client-secret': { type: 'string', default: demoClient.clientSecret },
      'access-token-seconds': { type: 'string', default: '600' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const accessTokenSeconds = Number(values['access-token-seconds']);
  if (!Number.isSafeInteger(accessTokenSeconds) || accessTokenSeconds < 1) {
    throw new Error('--access-token-seconds wants a whole number above 0');
  }
  const backchannelLogoutUri = values['backchannel-logout-uri'];
  const running = await startProvider({
    port: parsePort('port', values.port),
    redirectUris: values['redirect-uri'],
    postLogoutRedirectUris: values['post-logout-redirect-uri'],
    clientId: values['client-id'],
    clientSecret: values['client-secret'],
    accessTokenSeconds,
    ...(backchannelLogoutUri !== undefined && { backchannelLogoutUri }),
  });
  const people = [...running.accounts.values()].map((account) => account.email).join(', ');
  return { ...running, greeting: `OpenID provider at ${running.issuer} for ${people}; password: ${demoPassword}` };
}

if (import.meta.main) await runProgram(main);
