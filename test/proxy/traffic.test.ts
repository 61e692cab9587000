// What a route says of its traffic, over real sockets: headers, redirects, maintenance, waits, switches of protocol, and HSTS.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Redacted } from '../../src/model/diagnostic.ts';
import type { HeaderChanges, HostRoutes, Redirect, Route } from '../../src/model/route.ts';
import { certificate, engineersAccess, publicAccess, reply, sentHeader, signedInAccess, withRig } from './rig.ts';
import type { RigOptions } from './rig.ts';

const only =
  (
    change: Partial<Route>,
    access = publicAccess,
    path = '/',
    host: Partial<HostRoutes> = {},
  ): NonNullable<RigOptions['hosts']> =>
  (to) => [{ host: 'app.example.com', routes: [to(path, access, change)], ...host }];

const changes = (some: Partial<HeaderChanges>): HeaderChanges => ({ set: [], add: [], remove: [], ...some });

/** All values of a header that the application was sent. */
function sentAll(request: string | undefined, name: string): readonly string[] {
  const lines = (request ?? '').split('\r\n\r\n', 1)[0]?.split('\r\n') ?? [];
  return lines
    .filter((line) => line.toLowerCase().startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).trim());
}

test('request headers are set in the place of the client’s, under any spelling, added, and removed', () =>
  withRig(
    {
      hosts: only({
        requestHeaders: changes({
          set: [
            ['X-Tenant', 'shop'],
            ['X_Region', 'north'],
            ['Authorization', new Redacted('Bearer of-the-upstream')],
          ],
          add: [['Via', '1.1 edge']],
          remove: ['x-debug', 'cookie'],
        }),
      }),
    },
    async ({ get, upstream, lines }) => {
      await get(
        '/',
        'X-Tenant: blog',
        'X_Tenant: blog',
        'X-Region: blog',
        'authorization: Basic mine',
        'Via: 1.1 client',
        'X-Debug: 1',
        'X.Debug: 1',
        'Cookie: a=1',
        'X-Other: kept',
        'Connection: X-Tenant, Authorization',
      );
      const sent = upstream.requests.at(-1);
      assert.deepEqual(sentAll(sent, 'x-tenant'), ['shop']);
      assert.deepEqual(sentAll(sent, 'authorization'), ['Bearer of-the-upstream']);
      assert.deepEqual(sentAll(sent, 'via'), ['1.1 client', '1.1 edge']);
      assert.doesNotMatch(sent ?? '', /blog|debug|cookie|mine/i);
      assert.equal(sentHeader(sent, 'x-other'), 'kept');
      assert.doesNotMatch(JSON.stringify(lines), /of-the-upstream/);
    },
  ));

test('what is ours can be neither set nor removed, even where translation let it through', () =>
  withRig(
    {
      hosts: only(
        {
          requestHeaders: changes({
            set: [
              ['X-Sallyport-User', 'root'],
              ['x_forwarded_for', '10.0.0.1'],
              ['Host', 'evil.example'],
              ['Content-Length', '99'],
              ['X-Team', 'root'],
            ],
            remove: ['x-sallyport-email', 'x-forwarded-proto', 'x-request-id'],
          }),
        },
        signedInAccess,
      ),
      settings: { identityHeaders: { preset: 'Sallyport', assertion: 'Shared', claims: { 'X-Team': 'team' } } },
    },
    async ({ get, upstream }) => {
      assert.equal((await get('/', 'Cookie: __Host-sallyport=good')).status, 200);
      const sent = upstream.requests.at(-1);
      assert.deepEqual(sentAll(sent, 'x-sallyport-user'), ['u-ana']);
      assert.deepEqual(sentAll(sent, 'x-sallyport-email'), ['ana@example.com']);
      assert.deepEqual(sentAll(sent, 'x-team'), ['core']);
      assert.deepEqual(sentAll(sent, 'host'), ['app.example.com']);
      assert.deepEqual(sentAll(sent, 'x-forwarded-proto'), ['http']);
      assert.equal(sentAll(sent, 'x-request-id').length, 1);
      assert.doesNotMatch(sent ?? '', /root|evil|10\.0\.0\.1|content-length/i);
    },
  ));

test('response headers are set, added and removed; framing, our cookies and our CORS are not theirs to change', () =>
  withRig(
    {
      application: reply(
        'HTTP/1.1 200 OK\r\nServer: leaky/1.0\r\nX-Frame-Options: ALLOWALL\r\nLink: </a>\r\nSet-Cookie: a=1\r\nContent-Length: 2\r\n\r\nok',
      ),
      hosts: only({
        cors: { origins: ['*'], methods: [], exposed: [], credentials: false, maxAgeSeconds: 1 },
        responseHeaders: changes({
          set: [
            ['X-Frame-Options', 'DENY'],
            ['Content-Length', '99'],
            ['Set-Cookie', '__Host-sallyport=stolen'],
            ['Access-Control-Allow-Origin', 'https://evil.example'],
          ],
          add: [['Link', '</b>']],
          remove: ['server', 'content-length'],
        }),
      }),
    },
    async ({ get }) => {
      const answer = await get('/', 'Origin: https://page.example');
      assert.deepEqual(answer.all('x-frame-options'), ['DENY']);
      assert.deepEqual(answer.all('link'), ['</a>', '</b>']);
      assert.deepEqual(answer.all('server'), []);
      assert.deepEqual(answer.all('content-length'), ['2']);
      assert.deepEqual(answer.all('access-control-allow-origin'), ['*']);
      assert.deepEqual(answer.all('set-cookie'), []);
      assert.equal(answer.body, 'ok');
    },
  ));

const withoutUpstream = (route: Route): Route => {
  const { upstream, ...rest } = route;
  assert.ok(upstream);
  return rest;
};

const elsewhere = (redirect: Redirect, path = '/old') => only({ redirect, path, match: 'Prefix' }, publicAccess, path);

test('people are sent elsewhere, as the route says, with an application or without', async () => {
  const cases: readonly [Redirect, string, string][] = [
    [{ status: 301, scheme: 'https', host: 'new.example.org' }, '/old/a?x=1', 'https://new.example.org/old/a?x=1'],
    [
      { status: 302, path: { kind: 'Full', path: '/start?from=old#top' } },
      '/old/a?x=1',
      'http://app.example.com/start?from=old#top',
    ],
    [{ status: 303, path: { kind: 'Prefix', path: '/' } }, '/old/a?x=1', 'http://app.example.com/a?x=1'],
    [
      { status: 307, host: 'new.example.org', port: 8443, path: { kind: 'Prefix', path: '/docs' } },
      '/old',
      'http://new.example.org:8443/docs',
    ],
    [{ status: 308, scheme: 'https', host: 'new.example.org', port: 443 }, '/old', 'https://new.example.org/old'],
  ];
  for (const [redirect, asked, wanted] of cases) {
    await withRig({ hosts: elsewhere(redirect) }, async ({ get, upstream, lines, serve, proxy }) => {
      const answer = await get(asked, 'X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: gopher');
      assert.equal(answer.status, redirect.status);
      assert.equal(answer.header('location'), wanted);
      assert.equal(answer.header('cache-control'), 'no-store');
      assert.equal(upstream.requests.length, 0);
      assert.equal(lines.at(-1)?.['outcome'], 'Redirected');
      const [host] = proxy.table.hosts.values();
      serve([{ host: 'app.example.com', routes: (host?.routes ?? []).map(withoutUpstream) }]);
      assert.equal((await get(asked)).header('location'), wanted);
    });
  }
});

test('only whoever may enter is sent elsewhere, or told of a maintenance', () =>
  withRig(
    { hosts: only({ redirect: { status: 302, host: 'secret.example.org' } }, engineersAccess) },
    async ({ get, serve, proxy }) => {
      const refused = await get('/');
      assert.notEqual(refused.status, 302);
      assert.doesNotMatch(refused.raw, /secret/);
      const [host] = proxy.table.hosts.values();
      const routes = (host?.routes ?? []).map((route) => ({ ...route, maintenance: { message: 'secret plan' } }));
      serve([{ host: 'app.example.com', routes }]);
      const closed = await get('/');
      assert.notEqual(closed.status, 503);
      assert.doesNotMatch(closed.raw, /secret/);
      assert.equal((await get('/', 'Cookie: __Host-sallyport=good')).status, 503);
    },
  ));

test('a maintenance has a page for people and a problem for programs, in the operator’s words', () =>
  withRig(
    {
      hosts: only({
        maintenance: { message: 'Back at <b>noon</b>.', retryAfterSeconds: 600 },
        redirect: { status: 302, host: 'x.example' },
      }),
    },
    async ({ get, upstream, lines }) => {
      const page = await get('/', 'Accept: text/html');
      assert.equal(page.status, 503);
      assert.equal(page.header('retry-after'), '600');
      assert.match(page.body, /Closed for maintenance[^]*Back at &lt;b&gt;noon&lt;\/b&gt;\./);
      const problem = await get('/', 'Accept: application/json');
      assert.equal(problem.header('content-type'), 'application/problem+json');
      const { title, detail, status } = JSON.parse(problem.body) as Record<string, unknown>;
      assert.deepEqual(
        { title, detail, status },
        { title: 'Closed for maintenance', detail: 'Back at <b>noon</b>.', status: 503 },
      );
      assert.equal(upstream.requests.length, 0);
      assert.equal(lines.at(-1)?.['outcome'], 'Maintenance');
    },
  ));

test('a maintenance without a word has a page all the same', () =>
  withRig({ hosts: only({ maintenance: {} }) }, async ({ get }) => {
    const page = await get('/', 'Accept: text/html');
    assert.equal(page.status, 503);
    assert.equal(page.header('retry-after'), undefined);
    assert.match(page.body, /being worked on/);
  }));

test('a route has waits of its own, longer ones too', () =>
  withRig(
    {
      // Thinks, begins, and thinks again.
      application: (_request, socket) => {
        setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhi'), 150);
        setTimeout(() => socket.write('ho'), 300);
      },
      settings: { timeouts: { connectMs: 5_000, firstByteMs: 40, idleMs: 40 } },
      hosts: (to) => [
        {
          host: 'app.example.com',
          routes: [
            to('/patient', publicAccess, { timeouts: { firstByteMs: 60_000, idleMs: 60_000 } }),
            to('/silent', publicAccess, { timeouts: { firstByteMs: 60_000 } }),
            to('/', publicAccess),
          ],
        },
      ],
    },
    async ({ get }) => {
      assert.equal((await get('/')).status, 504);
      const patient = await get('/patient');
      assert.equal(patient.status, 200);
      assert.equal(patient.body, 'hiho');
      assert.notEqual((await get('/silent')).body, 'hiho');
    },
  ));

const ask = (protocol: string) =>
  `GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
const agrees: RigOptions['application'] = (request, socket) => {
  const protocol = /\r\nupgrade: ([^\r]*)/i.exec(request)?.[1];
  socket.write(
    protocol === undefined
      ? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain'
      : `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`,
  );
};

test('a connection switches to what the route names, by default websocket; else the request is one like any other', async () => {
  const cases: readonly [upgrades: readonly string[] | undefined, protocol: string, status: number][] = [
    [undefined, 'websocket', 101],
    [undefined, 'WebSocket', 101],
    [undefined, 'SPDY/3.1', 200],
    [['spdy/3.1'], 'SPDY/3.1', 101],
    [['spdy/3.1'], 'websocket', 200],
    [[], 'websocket', 200],
  ];
  for (const [upgrades, protocol, status] of cases) {
    await withRig({ application: agrees, hosts: only(upgrades ? { upgrades } : {}) }, async ({ send, upstream }) => {
      const answer = await send(ask(protocol));
      assert.equal(answer.status, status, `${upgrades?.join() ?? 'usual'}: ${protocol}`);
      if (status === 200) assert.equal(answer.body, 'plain');
      assert.equal(
        sentHeader(upstream.requests.at(-1), 'upgrade')?.toLowerCase(),
        status === 101 ? protocol.toLowerCase() : undefined,
      );
    });
  }
});

test('an application that switches unasked is not understood', () =>
  withRig(
    {
      hosts: only({ upgrades: [] }),
      application: reply('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    },
    async ({ send }) => {
      assert.equal((await send(ask('websocket'))).status, 502);
    },
  ));

const strict = { maxAgeSeconds: 300, includeSubDomains: true, preload: false };
const tls = { servername: 'app.example.com' };

test('strict transport is said on every answer over https, and by us alone', () =>
  withRig(
    {
      https: true,
      application: reply('HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=1\r\nContent-Length: 0\r\n\r\n'),
      hosts: (to) => [
        {
          host: 'app.example.com',
          routes: [to('/closed', engineersAccess), to('/open', publicAccess)],
          certificate: certificate('app.example.com'),
          strictTransport: strict,
        },
      ],
    },
    async ({ send, get, serve, proxy }) => {
      const over = (path: string) => send(`GET ${path} HTTP/1.1\r\nHost: app.example.com\r\n\r\n`, { tls });
      for (const path of ['/open', '/closed', '/nowhere', '/.sallyport/me']) {
        assert.deepEqual((await over(path)).all('strict-transport-security'), ['max-age=300; includeSubDomains'], path);
      }
      const redirected = await get('/open');
      assert.equal(redirected.status, 308);
      assert.deepEqual(redirected.all('strict-transport-security'), []);
      const host = proxy.table.hosts.get('app.example.com');
      assert.ok(host);
      serve([{ ...host, strictTransport: { maxAgeSeconds: 0, includeSubDomains: false, preload: false } }]);
      assert.deepEqual((await over('/open')).all('strict-transport-security'), ['max-age=0']);
      const { host: name, routes, certificate: shown } = host;
      serve([{ host: name, routes, ...(shown && { certificate: shown }) }]);
      assert.deepEqual((await over('/open')).all('strict-transport-security'), ['max-age=1']);
      assert.deepEqual((await over('/closed')).all('strict-transport-security'), []);
    },
  ));

test('a host that says so is served over plain http too, where nobody can sign in', () =>
  withRig(
    {
      https: true,
      hosts: (to) => [
        {
          host: 'app.example.com',
          routes: [to('/closed', engineersAccess), to('/', publicAccess)],
          certificate: certificate('app.example.com'),
          httpsRedirect: false,
        },
      ],
    },
    async ({ get }) => {
      assert.equal((await get('/')).status, 200);
      assert.equal((await get('/closed', 'Accept: text/html')).status, 403);
    },
  ));
