// GitHub, as https://docs.github.com says of GraphQL (User.organization, Organization.teams) and of an app's installation tokens.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importSPKI, jwtVerify } from 'jose';
import { createGitHubDirectory } from '../../../src/auth/directories/github.ts';
import { Redacted } from '../../../src/model/diagnostic.ts';
import { testDirectory } from './contract.ts';
import type { DirectoryRig } from './contract.ts';
import { publicKey, signingKey, startDirectoryServer } from './server.ts';
import type { Asked, Reply } from './server.ts';

const ana = { subject: '583231', claims: { login: 'ana' } };

interface Hub extends DirectoryRig {
  /** Logins, and whose they are. */
  readonly accounts: Map<string, number>;
}

async function start(now: () => number, kind: 'App' | 'Token' = 'App', restPath = ''): Promise<Hub> {
  let teams = ['one', 'two'];
  const accounts = new Map([
    ['ana', 583231],
    ['eve', 666],
  ]);
  const members = new Set([583231]);
  const tokens = new Set<string>();
  const graphqlPath = restPath === '' ? '/graphql' : '/api/graphql';
  const server = await startDirectoryServer(async (asked) => {
    const { pathname } = asked.url;
    if (!asked.headers.has('user-agent')) return { status: 403, body: 'Request forbidden by administrative rules.' };
    if (pathname === `${restPath}/orgs/acme/installation`) {
      await verifyApp(asked);
      return { status: 200, body: { id: 77, account: { login: 'acme' } } };
    }
    if (pathname === `${restPath}/app/installations/77/access_tokens`) return installationToken(asked);
    const authorization = asked.headers.get('authorization') ?? '';
    if (!tokens.has(authorization) && authorization !== 'Bearer ghp_secret')
      return { status: 401, body: { message: 'Bad credentials' } };
    if (pathname === graphqlPath) return graphql(asked);
    const [, id] = new RegExp(`^${restPath}/user/(\\d+)$`).exec(pathname) ?? [];
    const login = [...accounts].find(([, one]) => one === Number(id))?.[0];
    return login === undefined ? undefined : { status: 200, body: { login, id: Number(id) } };
  });

  async function verifyApp({ headers }: Asked) {
    const jwt = (headers.get('authorization') ?? '').replace('Bearer ', '');
    const { payload } = await jwtVerify(jwt, await importSPKI(publicKey, 'RS256'), {
      issuer: '12345',
      currentDate: new Date(now()),
    });
    assert.ok((payload.exp ?? 0) - now() / 1000 <= 600, 'GitHub takes ten minutes at the most');
  }

  async function installationToken(asked: Asked): Promise<Reply> {
    await verifyApp(asked);
    assert.deepEqual(JSON.parse(asked.body), { permissions: { members: 'read' } });
    const token = `ghs_${Math.random()}`;
    tokens.add(`Bearer ${token}`);
    return {
      status: 201,
      body: { token, expires_at: new Date(now() + 3_600_000).toISOString(), permissions: { members: 'read' } },
    };
  }

  function graphql({ body }: Asked): Reply {
    const { variables } = JSON.parse(body) as { variables: { login: string; organization: string; after?: string } };
    const databaseId = accounts.get(variables.login);
    if (databaseId === undefined)
      return {
        status: 200,
        body: {
          data: { user: null },
          errors: [{ type: 'NOT_FOUND', path: ['user'], message: 'Could not resolve to a User' }],
        },
      };
    if (!members.has(databaseId) || variables.organization.toLowerCase() !== 'acme')
      return { status: 200, body: { data: { user: { databaseId, organization: null } } } };
    const from = Number(variables.after ?? 0);
    const nodes = teams.slice(from, from + 100).map((slug) => ({ slug }));
    const pageInfo = { hasNextPage: from + 100 < teams.length, endCursor: String(from + 100) };
    return {
      status: 200,
      body: { data: { user: { databaseId, organization: { login: 'acme', teams: { nodes, pageInfo } } } } },
    };
  }

  return {
    server,
    accounts,
    directory: createGitHubDirectory(
      {
        type: 'GitHub',
        apiUrl: server.origin,
        restPath,
        graphqlPath,
        organizations: ['acme'],
        credential:
          kind === 'App'
            ? { type: 'App', appId: '12345', key: signingKey }
            : { type: 'Token', token: new Redacted('ghp_secret') },
      },
      now,
    ),
    person: ana,
    stranger: { subject: '999', claims: { login: 'nobody' } },
    isGroups: (path) => path === graphqlPath,
    isToken: (path) => path.endsWith('/access_tokens'),
    fill(count) {
      teams = Array.from({ length: count - 1 }, (_, index) => `team-${index}`);
      return ['acme', ...teams.map((slug) => `acme/${slug}`)];
    },
    revokeTokens: () => tokens.clear(),
  };
}

testDirectory('GitHub', (now) => start(now));

test('GitHub: with a personal access token, one call', async () => {
  const { server, directory } = await start(Date.now, 'Token');
  assert.deepEqual(await directory.groupsOf(ana), ['acme', 'acme/one', 'acme/two']);
  assert.equal(server.asked.length, 1);
});

test('GitHub Enterprise Server: the same under /api', async () => {
  const { directory } = await start(Date.now, 'App', '/api/v3');
  assert.deepEqual(await directory.groupsOf(ana), ['acme', 'acme/one', 'acme/two']);
});

test('GitHub: somebody who is in no organization of ours is in no group', async () => {
  const { directory } = await start(Date.now, 'Token');
  assert.deepEqual(await directory.groupsOf({ subject: '666', claims: { login: 'eve' } }), []);
});

test('GitHub: a login that somebody else has taken gives nobody their groups', async () => {
  const { directory, accounts } = await start(Date.now, 'Token');
  // Ana renamed her account, and Eve took the name.
  accounts.set('ana', 666);
  accounts.set('ana-2', 583231);
  assert.deepEqual(await directory.groupsOf(ana), ['acme', 'acme/one', 'acme/two'], 'hers, by her id');
  assert.deepEqual(
    await directory.groupsOf({ subject: '666', claims: { login: 'ana-2' } }),
    [],
    "not Ana's, by her name",
  );
});

test('GitHub: a subject that is no id is not asked about', async () => {
  const { server, directory } = await start(Date.now, 'Token');
  for (const subject of ['ana', '1/../2', '', '-1', '1e3']) {
    await assert.rejects(directory.groupsOf({ subject, claims: { login: 'ana' } }), { code: 'denied' });
  }
  assert.equal(server.asked.length, 0);
});

test('GitHub: a secondary rate limit is 403 with a sentence, and GraphQL says it with 200', async () => {
  const { server, directory } = await start(Date.now, 'Token');
  server.instead = () => ({ status: 403, body: { message: 'You have exceeded a secondary rate limit.' } });
  await assert.rejects(directory.groupsOf(ana), { code: 'unavailable', retryAfterMs: 60_000 });
  const reset = String(Math.floor(Date.now() / 1000) + 30);
  server.instead = () => ({
    status: 200,
    headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset },
    body: { errors: [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded' }] },
  });
  await assert.rejects(directory.groupsOf(ana), ({ code, retryAfterMs }: { code: string; retryAfterMs: number }) => {
    assert.equal(code, 'unavailable');
    assert.ok(retryAfterMs > 25_000 && retryAfterMs <= 31_000, `${retryAfterMs} ms`);
    return true;
  });
});

test('GitHub: an organization that it does not let us see is a denial, a failure within GraphQL an outage', async () => {
  const { server, directory } = await start(Date.now, 'Token');
  const failing = (type?: string) => () => ({ status: 200, body: { data: null, errors: [{ type, message: 'no' }] } });
  server.instead = failing('FORBIDDEN');
  await assert.rejects(directory.groupsOf(ana), { code: 'denied' });
  server.instead = failing();
  await assert.rejects(directory.groupsOf(ana), { code: 'unavailable' });
});
