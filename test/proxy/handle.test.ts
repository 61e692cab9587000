// One request, from each way in to each way out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthorityError } from '../../src/auth/authority.ts';
import { certificate, eventually, publicAccess, sentHeader, session, signedInAccess, withRig } from './rig.ts';

const cookie = 'Cookie: __Host-sallyport=good';
const html = 'Accept: text/html';
const local = 'Host: app.localhost';
const localHosts = {
  hosts: (to: Parameters<Parameters<typeof withRig>[0]['hosts'] & object>[0]) => [
    { host: 'app.localhost', routes: [to('/private', signedInAccess), to('/', publicAccess)] },
  ],
};

test('a public route is served without anybody signed in', () =>
  withRig({}, async ({ get, upstream, lines }) => {
    const answer = await get('/hello?a=b', 'Accept: */*');
    assert.equal(answer.status, 200);
    assert.match(upstream.requests[0] ?? '', /^GET \/hello\?a=b HTTP\/1\.1\r\n/);
    assert.equal(sentHeader(upstream.requests[0], 'x-forwarded-for'), '127.0.0.1');
    assert.equal(sentHeader(upstream.requests[0], 'x-sallyport-user'), undefined);
    assert.equal(answer.header('server'), 'sallyport');
    assert.ok(answer.header('date'));
    await eventually(() => lines.length === 1, 'a line in the access log');
    assert.equal(lines[0]?.['outcome'], 'Forwarded');
    assert.equal(lines[0]?.['path'], '/hello');
    assert.equal(lines[0]?.['id'], sentHeader(upstream.requests[0], 'x-request-id'));
  }));

test('a person with a session is let in, and the application told who it is', () =>
  withRig({}, async ({ get, upstream, lines }) => {
    const answer = await get('/engineers', cookie);
    assert.equal(answer.status, 200);
    const [request] = upstream.requests;
    assert.equal(sentHeader(request, 'x-sallyport-user'), 'u-ana');
    assert.equal(sentHeader(request, 'x-sallyport-email'), 'ana@example.com');
    assert.equal(sentHeader(request, 'x-sallyport-groups'), 'engineering,staff');
    assert.equal(sentHeader(request, 'x-sallyport-jwt-assertion'), 'assertion-of-session-good');
    assert.equal(sentHeader(request, 'cookie'), undefined);
    await eventually(() => lines.length === 1, 'a line in the access log');
    assert.equal(lines[0]?.['email'], 'ana@example.com');
    assert.equal(lines[0]?.['session'], 'session-');
  }));

test('an unknown host, and an unknown path, have no page', () =>
  withRig({ hosts: (to) => [{ host: 'app.example.com', routes: [to('/a', publicAccess)] }] }, async ({ get }) => {
    assert.equal((await get('/a', 'Host: other.example.com')).status, 404);
    assert.equal((await get('/b')).status, 404);
    assert.equal((await get('/a')).status, 200);
  }));

test('a navigation is sent to sign in, a program gets 401, a form gets a page', () =>
  withRig(localHosts, async ({ get, send, authority, upstream }) => {
    const navigation = await get('/private?x=1', local, 'Sec-Fetch-Mode: navigate');
    assert.equal(navigation.status, 302);
    assert.equal(navigation.header('location'), 'https://idp.example/authorize');
    assert.deepEqual(navigation.all('set-cookie'), ['__Host-sallyport-login=x']);
    assert.equal(authority.signIns[0]?.query, '?x=1');
    assert.deepEqual(authority.signIns[0]?.providers, ['okta']);
    const program = await get('/private', local, 'Sec-Fetch-Mode: cors', html);
    assert.equal(program.status, 401);
    assert.equal(program.header('www-authenticate'), 'Bearer realm="app.localhost"');
    assert.equal(program.header('content-type'), 'application/problem+json');
    const form = await send(
      `POST /private HTTP/1.1\r\n${local}\r\nSec-Fetch-Mode: navigate\r\nContent-Length: 3\r\n\r\na=b`,
    );
    assert.equal(form.status, 401);
    assert.match(form.body, /<a class="button" href="\/private">Sign in<\/a>/);
    assert.equal(upstream.requests.length, 0);
  }));

test('a protected host over plain http off localhost gets an explanation', () =>
  withRig({}, async ({ get, authority }) => {
    const answer = await get('/private', html);
    assert.equal(answer.status, 403);
    assert.match(answer.body, /not encrypted/);
    assert.equal(authority.signIns.length, 0);
  }));

test('a route whose provider is missing says so', () =>
  withRig(
    {
      hosts: (to) => {
        return [{ host: 'app.localhost', routes: [to('/', signedInAccess, { providers: [] })] }];
      },
    },
    async ({ get }) => {
      assert.equal((await get('/', local, html)).status, 503);
    },
  ));

test('somebody signed in and not allowed is told who they are', () =>
  withRig({}, async ({ get, authority }) => {
    authority.sessions.set('eve', session('session-eve', { identity: { user: 'eve', groups: [], claims: {} } }));
    const answer = await get('/engineers?a=b', 'Cookie: __Host-sallyport=eve', html);
    assert.equal(answer.status, 403);
    assert.match(answer.body, /signed in as eve/);
    assert.match(answer.body, /href="\/\.sallyport\/sign-in\?account=other&amp;return=%2Fengineers%3Fa%3Db"/);
  }));

test('a session of another provider does not count', () =>
  withRig(localHosts, async ({ get, authority }) => {
    authority.sessions.set('other', session('s', { provider: 'other' }));
    assert.equal((await get('/private', local, 'Cookie: __Host-sallyport=other')).status, 401);
  }));

test('an expired session does not count', () =>
  withRig(localHosts, async ({ get, authority }) => {
    authority.sessions.set('old', session('s', { expiresAt: Date.now() - 1 }));
    assert.equal((await get('/private', local, 'Cookie: __Host-sallyport=old')).status, 401);
  }));

test('of several session cookies, three are tried', () =>
  withRig({}, async ({ get, authority }) => {
    const cookies = (...values: string[]): string =>
      `Cookie: ${values.map((value) => `__Host-sallyport=${value}`).join('; ')}`;
    assert.equal((await get('/engineers', cookies('a', 'b', 'good'))).status, 200);
    assert.equal((await get('/engineers', cookies('a', 'b', 'c', 'good'))).status, 403);
    assert.equal(new Set(authority.opens).size, 4);
  }));

test('while sessions cannot be read, a public route works, and no other', () =>
  withRig({}, async ({ get, authority, upstream }) => {
    authority.open = () => Promise.reject(new AuthorityError('away'));
    assert.equal((await get('/', cookie)).status, 200);
    assert.equal(sentHeader(upstream.requests[0], 'x-sallyport-user'), undefined);
    const answer = await get('/engineers', cookie);
    assert.equal(answer.status, 503);
    assert.equal(answer.header('retry-after'), '5');
    assert.equal(upstream.requests.length, 1);
  }));

test('our own places are answered by auth, with our cookies and the form', () =>
  withRig({ settings: { authenticationHost: 'auth.localhost:8443' } }, async ({ send, authority, upstream }) => {
    const body = 'a=b';
    await send(
      `POST /oauth2/callback?x HTTP/1.1\r\nHost: auth.localhost:8443\r\nCookie: a=1; __Host-sallyport-login=L; b=2\r\nOrigin: https://o\r\nSec-Fetch-Site: cross-site\r\nUser-Agent: ${'u'.repeat(300)}\r\nContent-Length: 3\r\n\r\n${body}`,
    );
    assert.deepEqual(authority.asked[0], {
      method: 'POST',
      scheme: 'http',
      authority: 'auth.localhost:8443',
      host: 'auth.localhost',
      path: '/oauth2/callback',
      providers: [],
      query: '?x',
      cookies: [['__Host-sallyport-login', 'L']],
      origin: 'https://o',
      fetchSite: 'cross-site',
      device: 'u'.repeat(256),
      address: '127.0.0.1',
      body,
    });
    assert.equal(upstream.requests.length, 0);
  }));

test('a sign-in from one of our own places goes where the route to return to has people sign in', () =>
  withRig(
    {
      hosts: (to) => [
        {
          host: 'app.localhost',
          routes: [
            to('/staff', signedInAccess, { providers: ['okta', 'entra'] }),
            to('/partners', signedInAccess, { providers: ['partners'] }),
            to('/', signedInAccess, { providers: [] }),
          ],
        },
      ],
    },
    async ({ get, authority }) => {
      const local = 'Host: app.localhost';
      for (const path of ['sign-in?return=%2Fpartners%2F1%3Fx', 'sign-in?return=/staff', 'sign-in?return=//', ''])
        await get(`/.sallyport/${path}`, local);
      assert.deepEqual(
        authority.asked.map(({ providers }) => providers),
        [['partners'], ['okta', 'entra'], ['okta', 'entra'], ['okta', 'entra']],
      );
    },
  ));

test('a form longer than 16 KiB is refused', () =>
  withRig({ settings: { authenticationHost: 'auth.localhost' } }, async ({ send, authority }) => {
    const answer = await send(
      `POST /oauth2/callback HTTP/1.1\r\nHost: auth.localhost\r\nContent-Length: 20000\r\n\r\n${'x'.repeat(20_000)}`,
    );
    assert.equal(answer.status, 413);
    assert.equal(authority.asked.length, 0);
  }));

test('the keys of a host are served over plain http too', () =>
  withRig({}, async ({ get, authority }) => {
    assert.equal((await get('/.well-known/sallyport/jwks.json')).status, 200);
    assert.equal(authority.asked[0]?.path, '/.well-known/sallyport/jwks.json');
  }));

test('a host with a certificate is redirected to https', () =>
  withRig(
    {
      https: true,
      hosts: (to) => [
        { host: 'app.example.com', routes: [to('/', publicAccess)], certificate: certificate('app.example.com') },
      ],
    },
    async ({ get, send, port, httpsPort, upstream }) => {
      const plain = await get('/a//b?c=d');
      assert.equal(plain.status, 308);
      assert.equal(plain.header('location'), 'https://app.example.com/a/b?c=d');
      const withPort = await get('/a', `Host: app.example.com:${port}`);
      assert.equal(withPort.header('location'), `https://app.example.com:${httpsPort}/a`);
      const request = 'GET /a HTTP/1.1\r\nHost: app.example.com\r\n\r\n';
      const encrypted = await send(request, { tls: { servername: 'app.example.com' } });
      assert.equal(encrypted.status, 200);
      assert.equal(sentHeader(upstream.requests[0], 'x-forwarded-proto'), 'https');
      assert.equal(sentHeader(upstream.requests[0], 'x-forwarded-port'), '443');
    },
  ));

test('a trusted proxy says what the scheme and the client are', () =>
  withRig({ settings: { trustedProxies: ['127.0.0.0/8'] } }, async ({ get, authority, upstream }) => {
    const answer = await get('/private', 'X-Forwarded-Proto: https', 'X-Forwarded-For: 6.6.6.6, 203.0.113.9', html);
    assert.equal(answer.status, 302);
    assert.equal(authority.signIns[0]?.scheme, 'https');
    await get('/', 'X-Forwarded-Proto: https', 'X-Forwarded-For: 6.6.6.6, 203.0.113.9, 127.0.0.7');
    assert.equal(sentHeader(upstream.requests[0], 'x-forwarded-for'), '203.0.113.9, 127.0.0.7, 127.0.0.1');
    assert.equal(sentHeader(upstream.requests[0], 'x-real-ip'), '203.0.113.9');
    assert.equal(sentHeader(upstream.requests[0], 'x-forwarded-proto'), 'https');
  }));

test('a session that ends ends nothing else, and its cookie is worth nothing from then on', () =>
  withRig({}, async ({ get, authority }) => {
    authority.sessions.set('other', session('session-other'));
    assert.equal((await get('/engineers', cookie)).status, 200);
    assert.equal((await get('/engineers', 'Cookie: __Host-sallyport=other')).status, 200);
    authority.end('session-good');
    assert.equal((await get('/engineers', cookie)).status, 403);
    assert.equal((await get('/engineers', 'Cookie: __Host-sallyport=other')).status, 200);
  }));

test('an opened session is asked for once until it must be renewed', () =>
  withRig({}, async ({ get, authority }) => {
    await Promise.all([get('/engineers', cookie), get('/engineers', cookie), get('/engineers', cookie)]);
    await get('/engineers', cookie);
    assert.equal(authority.opens.length, 1);
  }));

test('a fault of ours costs one request', () =>
  withRig({}, async ({ get, authority, lines }) => {
    authority.open = () => Promise.reject(new Error('a bug'));
    const answer = await get('/engineers', cookie);
    assert.equal(answer.status, 500);
    await eventually(() => lines.length === 2, 'two lines');
    lines.length = 0;
    assert.equal((await get('/')).status, 200);
  }));
