// A small GitHub: its OAuth endpoints and the part of its REST API that says who somebody is. Honest until a test makes it lie.
import { createHash, randomBytes } from 'node:crypto';
import { Redacted } from '../../src/model/diagnostic.ts';
import type { GitHubSettings } from '../../src/model/settings.ts';
import { startDirectoryServer } from './directories/server.ts';
import type { Asked, DirectoryServer, Reply } from './directories/server.ts';

export interface Account {
  id: number;
  login: string;
  name: string | null;
  emails: { email: string; primary: boolean; verified: boolean }[];
  orgs: string[];
  /** `acme/platform`. */
  teams: string[];
}

export interface FakeGitHub {
  readonly server: DirectoryServer;
  readonly settings: GitHubSettings;
  readonly ana: Account;
  /** Who is signed in at GitHub in the browser. */
  account: Account;
  /** A GitHub App whose tokens expire; else an OAuth app. */
  isApp: boolean;
  /** Codes given to another application. */
  readonly foreignCodes: Set<string>;
  readonly tokens: Map<string, Account>;
  readonly refreshTokens: Map<string, Account>;
  /** A browser's visit to the authorization page. */
  authorize(url: URL): Promise<URL>;
}

const random = (prefix: string) => `${prefix}_${randomBytes(18).toString('hex')}`;
const clientId = 'Iv1.sallyport';
const clientSecret = 'a secret of GitHub';
const perPage = 100;

export async function startFakeGitHub(more: Partial<GitHubSettings> = {}): Promise<FakeGitHub> {
  const codes = new Map<string, { account: Account; challenge: string; redirectUri: string }>();
  const server = await startDirectoryServer((asked) => {
    const { pathname } = asked.url;
    if (pathname === '/login/oauth/access_token') return asked.method === 'POST' ? token(asked) : { status: 404 };
    const account = github.tokens.get((asked.headers.get('authorization') ?? '').replace('Bearer ', ''));
    if (account === undefined) return { status: 401, body: { message: 'Bad credentials' } };
    return api(asked.url, account);
  });

  function token({ body }: Asked): Reply {
    const form = Object.fromEntries(new URLSearchParams(body));
    const refused = (error: string) => ({ status: 200, body: { error, error_description: 'no' } });
    if (form['client_id'] !== clientId || form['client_secret'] !== clientSecret) {
      return refused('incorrect_client_credentials');
    }
    if (form['grant_type'] === 'refresh_token') {
      const account = github.refreshTokens.get(form['refresh_token'] ?? '');
      github.refreshTokens.delete(form['refresh_token'] ?? '');
      return account === undefined ? refused('bad_refresh_token') : given(account);
    }
    const code = form['code'] ?? '';
    const grant = codes.get(code);
    codes.delete(code);
    const challenge = createHash('sha256')
      .update(form['code_verifier'] ?? '')
      .digest('base64url');
    if (grant === undefined || github.foreignCodes.has(code) || grant.challenge !== challenge)
      return refused('bad_verification_code');
    return grant.redirectUri === form['redirect_uri'] ? given(grant.account) : refused('redirect_uri_mismatch');
  }

  function given(account: Account): Reply {
    const accessToken = random(github.isApp ? 'ghu' : 'gho');
    github.tokens.set(accessToken, account);
    if (!github.isApp)
      return { status: 200, body: { access_token: accessToken, token_type: 'bearer', scope: 'read:org,user:email' } };
    const refreshToken = random('ghr');
    github.refreshTokens.set(refreshToken, account);
    return {
      status: 200,
      body: {
        access_token: accessToken,
        token_type: 'bearer',
        scope: '',
        expires_in: 28_800,
        refresh_token: refreshToken,
        refresh_token_expires_in: 15_897_600,
      },
    };
  }

  function api(url: URL, { id, login, name, emails, orgs, teams }: Account): Reply | undefined {
    const paged = (all: readonly unknown[]): Reply => {
      const number = Number(url.searchParams.get('page') ?? 1);
      const next = new URL(url);
      next.searchParams.set('page', String(number + 1));
      const isLast = number * perPage >= all.length;
      return {
        status: 200,
        headers: isLast ? {} : { link: `<${next.href}>; rel="next"` },
        body: all.slice((number - 1) * perPage, number * perPage),
      };
    };
    switch (url.pathname) {
      case '/user':
        // `email` is the public one, which is no more than what somebody wrote there.
        return { status: 200, body: { id, login, name, email: 'root@example.com', type: 'User' } };
      case '/user/emails':
        return paged(emails);
      case '/user/orgs':
        return paged(orgs.map((org) => ({ login: org })));
      case '/user/teams':
        return paged(teams.map((team) => ({ slug: team.split('/')[1], organization: { login: team.split('/')[0] } })));
    }
    return undefined;
  }

  const ana: Account = {
    id: 583_231,
    login: 'ana',
    name: 'Ana',
    emails: [
      { email: 'ana@example.org', primary: false, verified: true },
      { email: 'ana@Example.com', primary: true, verified: true },
    ],
    orgs: ['acme', 'elsewhere'],
    teams: ['acme/platform'],
  };
  const github: FakeGitHub = {
    server,
    ana,
    account: ana,
    isApp: false,
    foreignCodes: new Set(),
    tokens: new Map(),
    refreshTokens: new Map(),
    settings: {
      kind: 'GitHub',
      name: 'github',
      clientId,
      clientSecret: new Redacted(clientSecret),
      webUrl: server.origin,
      apiUrl: server.origin,
      restPath: '',
      userName: 'Id',
      organizations: [],
      ...more,
    },
    async authorize(url) {
      const asked = url.searchParams;
      const code = random('code');
      const redirectUri = asked.get('redirect_uri') ?? '';
      codes.set(code, { account: github.account, challenge: asked.get('code_challenge') ?? '', redirectUri });
      const back = new URL(redirectUri);
      back.search = new URLSearchParams({ code, state: asked.get('state') ?? '' }).toString();
      return back;
    },
  };
  return github;
}
