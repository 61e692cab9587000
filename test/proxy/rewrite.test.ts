// What an application gets instead of what was asked: paths, Hosts; and what the client sees of its answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Route } from '../../src/model/route.ts';
import { sentHost, sentTarget } from '../../src/proxy/rewrite.ts';
import { canonicalTarget } from '../../src/proxy/target.ts';
import { engineersAccess, publicAccess, reply, sentHeader, withRig } from './rig.ts';
import type { RigOptions } from './rig.ts';

type Path = NonNullable<NonNullable<Route['rewrite']>['path']>;
const prefix = (to: string): Path => ({ kind: 'Prefix', prefix: to });
const pattern = (of: string, substitution: string): Path => ({ kind: 'Pattern', pattern: of, substitution });

const routeOf = (path: string, match: Route['match'], by: Path): Route => ({
  id: 'shop/app',
  ingress: { namespace: 'shop', name: 'app' },
  path,
  match,
  access: publicAccess,
  providers: [],
  rewrite: { path: by },
});

test('the route’s own path makes way for another', () => {
  const cases: readonly [string, Route['match'], Path, string, string][] = [
    ['/shop', 'Prefix', prefix('/'), '/shop', '/'],
    ['/shop', 'Prefix', prefix('/'), '/shop/', '/'],
    ['/shop', 'Prefix', prefix('/'), '/shop/a', '/a'],
    ['/shop', 'Prefix', prefix('/v2'), '/shop', '/v2'],
    ['/shop', 'Prefix', prefix('/v2'), '/shop/', '/v2/'],
    ['/shop', 'Prefix', prefix('/v2'), '/shop/shop/a', '/v2/shop/a'],
    ['/', 'Prefix', prefix('/v2'), '/', '/v2/'],
    ['/', 'Prefix', prefix('/v2'), '/a', '/v2/a'],
    ['/', 'Exact', prefix('/v2'), '/', '/v2'],
    ['/shop/', 'Exact', prefix('/v2'), '/shop/', '/v2'],
    ['/', 'Prefix', pattern('/api/(v[0-9])/(.*)', '/\\2/\\1'), '/api/v2/a/b', '/a/b/v2'],
    ['/', 'Prefix', pattern('/a(/.*)?', '/b\\1'), '/a', '/b'],
    ['/', 'Prefix', pattern('/api/(v[0-9])/(.*)', '/\\2'), '/api/v2', '/api/v2'],
    ['/', 'Prefix', pattern('/a', '/b'), '/a/a', '/a/a'],
  ];
  for (const [path, match, by, asked, wanted] of cases) {
    assert.deepEqual(sentTarget(routeOf(path, match, by), { path: asked, query: '?q=/..' }), {
      path: wanted,
      query: '?q=/..',
    });
  }
});

test('whatever is rewritten is a canonical path, or goes nowhere', () => {
  const pieces = fc.array(fc.constantFrom('/', 'a', '.', '..', '%20', ';', 'x.', '%C3%A9', '~'), { maxLength: 12 });
  const groups = fc.array(fc.constantFrom('\\1', '\\2', '/', '.', '..', 'b', '%2', '%', 'F', '//', ';'), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(pieces, groups, fc.constantFrom('/(.)(.*)', '/(.*)(.)', '/([^/]*)/?(.*)'), (given, by, of) => {
      const asked = canonicalTarget(`/${given.join('')}`);
      fc.pre('path' in asked);
      const sent = sentTarget(routeOf('/', 'Prefix', pattern(of, `/${by.join('')}`)), { ...asked, query: '?q' });
      if ('fault' in sent) return;
      assert.equal(sent.query, '?q');
      assert.deepEqual(canonicalTarget(sent.path), { path: sent.path, query: '' });
    }),
    { numRuns: 2_000 },
  );
});

test('a prefix in the place of another loses nothing, and stays canonical', () => {
  const segment = fc.constantFrom('a', 'b', 'a.b', '%20', 'shop', '...');
  const path = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
  fc.assert(
    fc.property(path, path, path, (own, rest, to) => {
      const asked = own === '/' ? rest : rest === '/' ? own : own + rest;
      const sent = sentTarget(routeOf(own, 'Prefix', prefix(to)), { path: asked, query: '' });
      assert.ok('path' in sent);
      const back = sentTarget(routeOf(to, 'Prefix', prefix(own)), sent);
      assert.ok('path' in back);
      assert.equal(back.path.replace(/(.)\/$/, '$1'), asked.replace(/(.)\/$/, '$1'));
    }),
  );
});

const hosts =
  (change: Partial<Route>, path = '/shop'): NonNullable<RigOptions['hosts']> =>
  (to) => [
    { host: 'app.example.com', routes: [to(path, publicAccess, change), to('/v2', engineersAccess, { id: 'closed' })] },
  ];

test('the policy judges what was asked, and the application gets the other path with the query', () =>
  withRig({ hosts: hosts({ rewrite: { path: prefix('/v2') } }) }, async ({ get, upstream, lines }) => {
    assert.equal((await get('/shop/a?x=/../y')).status, 200);
    assert.match(upstream.requests.at(-1) ?? '', /^GET \/v2\/a\?x=\/\.\.\/y HTTP/);
    assert.equal(sentHeader(upstream.requests.at(-1), 'x-forwarded-prefix'), '/shop');
    assert.equal(lines.at(-1)?.['path'], '/shop/a');
    assert.equal((await get('/v2/a')).status, 403);
  }));

test('what is rewritten to no path goes nowhere, and the operator is told why', () =>
  withRig(
    { hosts: hosts({ rewrite: { path: pattern('/shop/x(.*)', '/files/\\1') } }) },
    async ({ get, upstream, lines }) => {
      assert.equal((await get('/shop/xa')).status, 200);
      assert.match(upstream.requests.at(-1) ?? '', /^GET \/files\/a HTTP/);
      const refused = await get('/shop/x..');
      assert.equal(refused.status, 500);
      assert.equal(upstream.requests.length, 1);
      assert.match(refused.body, /set up wrongly/);
      const told = lines.find(({ msg }) => msg === 'route cannot serve this');
      assert.match(String(told?.['fault']), /rewritten to is none/);
      assert.equal(lines.at(-1)?.['outcome'], 'Misconfigured');
    },
  ));

test('the application gets the Host that the route says, and hears of the other', () =>
  withRig(
    { hosts: hosts({ rewrite: { host: { kind: 'Literal', host: 'intranet.example.org:8443' } } }) },
    async ({ get, upstream }) => {
      await get('/shop');
      assert.equal(sentHeader(upstream.requests.at(-1), 'host'), 'intranet.example.org:8443');
      assert.equal(sentHeader(upstream.requests.at(-1), 'x-forwarded-host'), 'app.example.com');
    },
  ));

test('the name of an upstream is its Service’s, its certificate’s, or the external one', () => {
  const asked = { authority: 'app.example.com' } as Parameters<typeof sentHost>[1];
  const rewrite = { host: { kind: 'Upstream' } } as const;
  const endpoints = [{ address: '10.0.0.1', port: 8080 }];
  const plain = { name: 'shop/app:80', protocol: 'http', endpoints } as const;
  assert.equal(sentHost({ rewrite, upstream: plain }, asked), 'app.shop.svc');
  assert.equal(sentHost({ rewrite, upstream: { ...plain, name: 'shop/app:81' } }, asked), 'app.shop.svc:81');
  const tls = { serverName: 'app.internal' };
  assert.equal(
    sentHost({ rewrite, upstream: { ...plain, protocol: 'https', tls, name: 'shop/app:443' } }, asked),
    'app.internal',
  );
  const external = [{ address: 'api.example.net', port: 80 }];
  assert.equal(sentHost({ rewrite, upstream: { ...plain, endpoints: external } }, asked), 'api.example.net');
  assert.equal(sentHost({ rewrite }, asked), 'app.example.com');
  assert.equal(sentHost({ upstream: plain }, asked), 'app.example.com');
});

test('an application that redirects within itself leads back to the outside', () => {
  let location = '';
  const cases: readonly [inner: string, given: string, wanted: string][] = [
    ['/', '/login?to=/x', '/shop/login?to=/x'],
    ['/', '/shop/login', '/shop/login'],
    ['/', 'http://127.0.0.1/a', 'http://app.example.com/shop/a'],
    ['/', 'http://app.example.com/a', 'http://app.example.com/shop/a'],
    ['/', 'http://app.example.com/shop/a', 'http://app.example.com/shop/a'],
    ['/', '//evil.example/a', '//evil.example/a'],
    ['/', 'https://idp.example.com/a', 'https://idp.example.com/a'],
    ['/', 'login', 'login'],
    ['/v2', '/v2', '/shop'],
    ['/v2', '/v2/a', '/shop/a'],
    ['/v2', '/v2?x', '/shop?x'],
    ['/v2', '/v22/a', '/v22/a'],
    ['/v2', '/other', '/other'],
    ['/shop/v2', '/shop/v2/a', '/shop/a'],
    ['/shop/v2', '/shop/a', '/shop/a'],
  ];
  const application: RigOptions['application'] = (request, socket) =>
    reply(
      `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nSet-Cookie: a=1; Path=/v2/x; HttpOnly\r\nContent-Length: 0\r\n\r\n`,
    )(request, socket);
  return withRig({ application }, async ({ get, serve, upstream }) => {
    for (const [inner, given, wanted] of cases) {
      location = given;
      const endpoints = [{ address: '127.0.0.1', port: upstream.port }];
      const route = {
        ...routeOf('/shop', 'Prefix', prefix(inner)),
        upstream: { name: 'shop/app:80', protocol: 'http', endpoints },
      } as const;
      serve([{ host: 'app.example.com', routes: [route] }]);
      const answer = await get('/shop/now');
      assert.equal(answer.header('location'), wanted, `${inner}: ${given}`);
      assert.equal(
        answer.header('set-cookie'),
        inner === '/v2' ? 'a=1; Path=/shop/x; HttpOnly' : 'a=1; Path=/v2/x; HttpOnly',
      );
    }
  });
});
