// Okta, as https://developer.okta.com/docs/api/openapi/okta-management says of users' groups, Link headers and rate limits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importSPKI, jwtVerify } from 'jose';
import { createOktaDirectory } from '../../../src/auth/directories/okta.ts';
import { Redacted } from '../../../src/model/diagnostic.ts';
import { testDirectory } from './contract.ts';
import type { DirectoryRig } from './contract.ts';
import { publicKey, signingKey, startDirectoryServer, withLure } from './server.ts';
import type { Asked, Reply } from './server.ts';

const ana = { subject: '00ub0oNGTSWTBKOLGLNR', claims: {} };

async function start(now: () => number, kind: 'App' | 'Token' = 'App'): Promise<DirectoryRig> {
  let groups = ['one', 'two'];
  const tokens = new Set<string>();
  const server = await startDirectoryServer((asked) => {
    if (asked.url.pathname === '/oauth2/v1/token') return token(asked);
    const [, user] = /^\/api\/v1\/users\/([^/]+)\/groups$/.exec(asked.url.pathname) ?? [];
    return user === undefined ? undefined : list(asked, user);
  });

  async function token({ body }: Asked): Promise<Reply> {
    const form = Object.fromEntries(new URLSearchParams(body));
    assert.equal(form['client_assertion_type'], 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    const { payload, protectedHeader } = await jwtVerify(
      form['client_assertion'] ?? '',
      await importSPKI(publicKey, 'RS256'),
      {
        audience: `${server.origin}/oauth2/v1/token`,
        issuer: 'robot',
        subject: 'robot',
        currentDate: new Date(now()),
      },
    );
    assert.ok(payload.jti, 'Okta takes each once');
    assert.equal(protectedHeader.kid, 'key-1');
    if (form['grant_type'] !== 'client_credentials' || form['scope'] !== 'okta.users.read')
      return { status: 400, body: { error: 'invalid_scope' } };
    const given = `token-${Math.random()}`;
    tokens.add(`Bearer ${given}`);
    return { status: 200, body: { token_type: 'Bearer', expires_in: 3600, access_token: given, scope: form['scope'] } };
  }

  function list({ url, headers }: Asked, user: string): Reply {
    const authorization = headers.get('authorization') ?? '';
    if (!tokens.has(authorization) && authorization !== 'SSWS 00secret')
      return { status: 401, body: { errorCode: 'E0000011' } };
    if (decodeURIComponent(user) !== ana.subject) return { status: 404, body: { errorCode: 'E0000007' } };
    const size = Math.min(Number(url.searchParams.get('limit') ?? 200), 200);
    const from = Number(url.searchParams.get('after') ?? 0);
    const body = groups
      .slice(from, from + size)
      .map((name) => ({ id: `00g-${name}`, type: 'OKTA_GROUP', profile: { name } }));
    const next = new URL(url);
    next.searchParams.set('after', String(from + size));
    const links = [`<${url.href}>; rel="self"`, ...(from + size < groups.length ? [`<${next.href}>; rel="next"`] : [])];
    return { status: 200, headers: { link: links.join(', ') }, body };
  }

  return {
    server,
    directory: createOktaDirectory(
      {
        type: 'Okta',
        apiUrl: server.origin,
        credential:
          kind === 'App'
            ? { type: 'App', clientId: 'robot', key: signingKey }
            : { type: 'Token', token: new Redacted('00secret') },
      },
      now,
    ),
    person: ana,
    stranger: { subject: '00uNobody', claims: {} },
    isGroups: (path) => path.startsWith('/api/v1/'),
    isToken: (path) => path.endsWith('/token'),
    fill: (count) => (groups = Array.from({ length: count }, (_, index) => `group-${index}`)),
    revokeTokens: () => tokens.clear(),
  };
}

testDirectory('Okta', (now) => start(now));

test('Okta: with an API token', async () => {
  const { directory } = await start(Date.now, 'Token');
  assert.deepEqual(await directory.groupsOf(ana), ['one', 'two']);
});

test('Okta: of a custom authorization server, uid is the id', async () => {
  const { directory } = await start(Date.now, 'Token');
  assert.deepEqual(await directory.groupsOf({ subject: 'ana@example.com', claims: { uid: ana.subject } }), [
    'one',
    'two',
  ]);
});

test('Okta: a subject that is a path is not asked about', async () => {
  const { server, directory } = await start(Date.now, 'Token');
  for (const subject of ['..', '.', 'a/../../users', 'me?x=', '']) {
    await assert.rejects(directory.groupsOf({ subject, claims: {} }), { code: 'denied' });
  }
  assert.equal(server.asked.length, 0);
});

test('Okta: 429 says by its own clock when to come back', async () => {
  const { server, directory } = await start(Date.now, 'Token');
  const date = new Date(Date.now() - 3_600_000);
  const reset = Math.floor(date.getTime() / 1000) + 42;
  server.instead = () => ({
    status: 429,
    headers: { date: date.toUTCString(), 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': String(reset) },
    body: { errorCode: 'E0000047' },
  });
  await assert.rejects(directory.groupsOf(ana), { code: 'unavailable', retryAfterMs: 42_000 });
});

for (const link of ['https://okta.example.org/next', 'http://169.254.169.254/latest', 'next']) {
  test(`Okta: a next page at ${link} is not asked for`, async () => {
    const { server, directory } = await start(Date.now, 'Token');
    server.instead = () => ({ status: 200, headers: { link: `<${link}>; rel="next"` }, body: [] });
    await assert.rejects(directory.groupsOf(ana), { code: 'unavailable' });
  });
}

test('Okta: a next page on another host is not asked for, and our token does not go there', async () => {
  const { server, directory } = await start(Date.now, 'Token');
  const lured = await withLure(async (origin) => {
    server.instead = () => ({ status: 200, headers: { link: `<${origin}/next>; rel="next"` }, body: [] });
    await assert.rejects(directory.groupsOf(ana), { code: 'unavailable' });
  });
  assert.deepEqual(lured, []);
});

test('a directory in the clear is not asked, whatever the settings say', async () => {
  const token = new Redacted('00secret');
  const credential = { type: 'Token', token } as const;
  const directory = createOktaDirectory({ type: 'Okta', apiUrl: 'http://okta.example.org', credential }, Date.now);
  await assert.rejects(directory.groupsOf(ana), /that is not where it is/);
});
