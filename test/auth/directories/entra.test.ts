// Microsoft Graph, as https://learn.microsoft.com/graph/api/user-list-transitivememberof says, and the client credentials grant.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEntraDirectory } from '../../../src/auth/directories/entra.ts';
import type { EntraDirectory } from '../../../src/model/directory-settings.ts';
import { Redacted } from '../../../src/model/diagnostic.ts';
import { testDirectory } from './contract.ts';
import type { DirectoryRig } from './contract.ts';
import { startDirectoryServer, withLure } from './server.ts';
import type { Asked, Reply } from './server.ts';

const tenant = '11111111-2222-3333-4444-555555555555';
const oid = '6e7b768e-07e2-4810-8459-485f84f8f204';
const ana = { subject: 'pairwise', claims: { oid } };

async function start(now: () => number, groupNames: EntraDirectory['groupNames'] = 'Id'): Promise<DirectoryRig> {
  let groups = ['one', 'two'];
  const tokens = new Set<string>();
  const server = await startDirectoryServer((asked) => {
    if (asked.url.pathname === `/${tenant}/oauth2/v2.0/token`) return token(asked);
    const [, user] =
      /^\/v1\.0\/users\/([^/]+)\/transitiveMemberOf\/microsoft\.graph\.group$/.exec(asked.url.pathname) ?? [];
    return user === undefined ? undefined : list(asked, user);
  });

  function token({ body }: Asked): Reply {
    const {
      grant_type: grant,
      client_id: id,
      client_secret: secret,
      scope,
    } = Object.fromEntries(new URLSearchParams(body));
    if (grant !== 'client_credentials' || scope !== `${server.origin}/.default`)
      return { status: 400, body: { error: 'invalid_scope' } };
    if (id !== 'app' || secret !== 'a secret') return { status: 401, body: { error: 'invalid_client' } };
    const given = `token-${Math.random()}`;
    tokens.add(given);
    return { status: 200, body: { token_type: 'Bearer', expires_in: 3599, access_token: given } };
  }

  function list({ url, headers }: Asked, user: string): Reply {
    if (!tokens.has((headers.get('authorization') ?? '').replace('Bearer ', '')))
      return { status: 401, body: { error: { code: 'InvalidAuthenticationToken' } } };
    if (user !== oid) return { status: 404, body: { error: { code: 'Request_ResourceNotFound' } } };
    assert.equal(url.searchParams.get('$select'), 'id,displayName');
    const size = Math.min(Number(url.searchParams.get('$top') ?? 100), 999);
    const from = Number(url.searchParams.get('$skiptoken') ?? 0);
    const next = new URL(url);
    next.searchParams.set('$skiptoken', String(from + size));
    const value = groups
      .slice(from, from + size)
      .map((id) => ({ '@odata.type': '#microsoft.graph.group', id, displayName: `The ${id}` }));
    return { status: 200, body: { value, ...(from + size < groups.length && { '@odata.nextLink': next.href }) } };
  }

  return {
    server,
    directory: createEntraDirectory(
      {
        type: 'Entra',
        apiUrl: server.origin,
        tokenUrl: server.origin,
        tenant,
        clientId: 'app',
        clientSecret: new Redacted('a secret'),
        groupNames,
      },
      now,
    ),
    person: ana,
    stranger: { subject: 'x', claims: { oid: '00000000-0000-0000-0000-000000000000' } },
    isGroups: (path) => path.startsWith('/v1.0/'),
    isToken: (path) => path.endsWith('/token'),
    fill: (count) => (groups = Array.from({ length: count }, (_, index) => `group-${index}`)),
    revokeTokens: () => tokens.clear(),
  };
}

testDirectory('Entra ID', (now) => start(now));

test('Entra ID: groups by their names', async () => {
  const { server, directory } = await start(Date.now, 'DisplayName');
  assert.deepEqual(await directory.groupsOf(ana), ['The one', 'The two']);
  const nameless = { value: [{ id: 'one', displayName: null }] };
  server.instead = ({ url }) => (url.pathname.startsWith('/v1.0/') ? { status: 200, body: nameless } : undefined);
  await assert.rejects(directory.groupsOf(ana), { code: 'denied', message: /GroupMember\.Read\.All/ });
});

test('Entra ID: a person is asked about by oid alone, and only where it is one', async () => {
  const { server, directory } = await start(Date.now);
  for (const wrong of [undefined, '../me', 'ana@example.com', [oid]]) {
    await assert.rejects(directory.groupsOf({ subject: oid, claims: { oid: wrong } }), { code: 'denied' });
  }
  assert.equal(server.asked.length, 0);
});

for (const link of [
  'https://graph.example.org/v1.0/next',
  'http://169.254.169.254/latest',
  'file:///etc/passwd',
  'next',
]) {
  test(`Entra ID: a next page at ${link} is not asked for, and the groups before it are not all`, async () => {
    const { server, directory } = await start(Date.now);
    const body = { value: [{ id: 'one' }], '@odata.nextLink': link };
    server.instead = ({ url }) => (url.pathname.startsWith('/v1.0/') ? { status: 200, body } : undefined);
    await assert.rejects(directory.groupsOf(ana), { code: 'unavailable' });
  });
}

test('Entra ID: a next page on another host is not asked for, and our token does not go there', async () => {
  const { server, directory } = await start(Date.now);
  const lured = await withLure(async (origin) => {
    const body = { value: [{ id: 'one' }], '@odata.nextLink': `${origin}/next` };
    server.instead = ({ url }) => (url.pathname.startsWith('/v1.0/') ? { status: 200, body } : undefined);
    await assert.rejects(directory.groupsOf(ana), { code: 'unavailable' });
  });
  assert.deepEqual(lured, []);
});
