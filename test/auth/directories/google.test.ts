// Google's Directory API, as https://developers.google.com/workspace/admin/directory/reference/rest/v1/groups/list says, and its token endpoint.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importSPKI, jwtVerify } from 'jose';
import { createGoogleDirectory } from '../../../src/auth/directories/google.ts';
import { testDirectory } from './contract.ts';
import type { DirectoryRig } from './contract.ts';
import { publicKey, signingKey, startDirectoryServer } from './server.ts';
import type { Asked, Reply } from './server.ts';

const scope = 'https://www.googleapis.com/auth/admin.directory.group.readonly';
const ana = { subject: '1', email: 'ana@example.com', claims: {} };

async function start(now: () => number, administrator?: string): Promise<DirectoryRig> {
  let groups = ['one@example.com', 'two@example.com'];
  const tokens = new Set<string>();
  const server = await startDirectoryServer((asked) => {
    if (asked.url.pathname === '/token') return token(asked);
    if (asked.url.pathname === '/admin/directory/v1/groups') return list(asked);
    return undefined;
  });

  async function token({ method, body }: Asked): Promise<Reply> {
    const form = new URLSearchParams(body);
    const grant = form.get('grant_type');
    if (method !== 'POST' || grant !== 'urn:ietf:params:oauth:grant-type:jwt-bearer')
      return { status: 400, body: { error: 'unsupported_grant_type' } };
    const { payload, protectedHeader } = await jwtVerify(
      form.get('assertion') ?? '',
      await importSPKI(publicKey, 'RS256'),
      {
        audience: `${server.origin}/token`,
        issuer: 'robot@project.iam.gserviceaccount.com',
        maxTokenAge: '1h',
        currentDate: new Date(now()),
      },
    );
    assert.equal(protectedHeader.kid, 'key-1');
    if (payload['scope'] !== scope || payload.sub !== administrator)
      return { status: 401, body: { error: 'unauthorized_client' } };
    const given = `ya29.${tokens.size}.${Math.random()}`;
    tokens.add(given);
    return { status: 200, body: { access_token: given, expires_in: 3599, token_type: 'Bearer' } };
  }

  function list({ url, headers }: Asked): Reply {
    if (!tokens.has((headers.get('authorization') ?? '').replace('Bearer ', '')))
      return { status: 401, body: { error: { code: 401 } } };
    if (url.searchParams.get('userKey') !== ana.email) return { status: 404, body: { error: { code: 404 } } };
    const size = Math.min(Number(url.searchParams.get('maxResults') ?? 200), 200);
    const from = Number(url.searchParams.get('pageToken') ?? 0);
    const page = groups
      .slice(from, from + size)
      .map((email) => ({ kind: 'admin#directory#group', email, name: email }));
    const more = from + size < groups.length;
    return {
      status: 200,
      body: {
        kind: 'admin#directory#groups',
        ...(page.length > 0 && { groups: page }),
        ...(more && { nextPageToken: String(from + size) }),
      },
    };
  }

  return {
    server,
    directory: createGoogleDirectory(
      {
        type: 'Google',
        apiUrl: server.origin,
        tokenUrl: server.origin,
        serviceAccount: 'robot@project.iam.gserviceaccount.com',
        key: signingKey,
        ...(administrator !== undefined && { administrator }),
      },
      now,
    ),
    person: ana,
    stranger: { subject: '2', email: 'eve@example.org', claims: {} },
    isGroups: (path) => path === '/admin/directory/v1/groups',
    isToken: (path) => path === '/token',
    fill: (count) => (groups = Array.from({ length: count }, (_, index) => `group-${index}@example.com`)),
    revokeTokens: () => tokens.clear(),
  };
}

testDirectory('Google', (now) => start(now));

test('Google: by delegation it asks in the name of an administrator', async () => {
  const { directory } = await start(Date.now, 'admin@example.com');
  assert.deepEqual(await directory.groupsOf(ana), ['one@example.com', 'two@example.com']);
});

test('Google: a person without a verified address is asked about by none', async () => {
  const { server, directory } = await start(Date.now);
  assert.deepEqual(await directory.groupsOf({ subject: '1', claims: { email: 'ana@example.com' } }), []);
  assert.equal(server.asked.length, 0);
});

for (const reason of ['rateLimitExceeded', 'userRateLimitExceeded', 'quotaExceeded']) {
  test(`Google: 403 for ${reason} is a time to wait, and no denial`, async () => {
    const { server, directory, isGroups } = await start(Date.now);
    const body = { error: { code: 403, errors: [{ domain: 'usageLimits', reason }] } };
    server.instead = ({ url }) => (isGroups(url.pathname) ? { status: 403, body } : undefined);
    await assert.rejects(directory.groupsOf(ana), { code: 'unavailable', retryAfterMs: 60_000 });
  });
}
