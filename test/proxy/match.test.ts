// Which route serves a path: the Kubernetes Ingress conformance table, and a naive matcher to compare with.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { HostRoutes, Route, RouteTable } from '../../src/model/route.ts';
import { emptyTable } from '../../src/model/route.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import { matchHost, matchPath, matchRoute } from '../../src/proxy/match.ts';
import { publicAccess } from './rig.ts';

/** `=/foo` is exact, `/foo` a prefix. In order of precedence, as translate puts them. */
function hostOf(...paths: string[]): HostRoutes {
  const routes = paths.map((spec): Route => {
    const path = spec.replace(/^=/, '');
    return {
      id: spec,
      ingress: { namespace: 'a', name: 'b' },
      path,
      match: spec.startsWith('=') ? 'Exact' : 'Prefix',
      access: publicAccess,
      providers: [],
    };
  });
  return { host: 'app.example.com', routes };
}

const conformance: readonly [routes: string[], path: string, expected: string | undefined][] = [
  [['=/foo'], '/foo', '=/foo'],
  [['=/foo'], '/bar', undefined],
  [['=/foo'], '/foo/', undefined],
  [['=/foo'], '/FOO', undefined],
  [['=/foo/'], '/foo', undefined],
  [['=/foo/'], '/foo/', '=/foo/'],
  [['/'], '/', '/'],
  [['/'], '/anything/at/all', '/'],
  [['/foo'], '/foo', '/foo'],
  [['/foo'], '/foo/', '/foo'],
  [['/foo'], '/FOO', undefined],
  [['/foo'], '/foobar', undefined],
  [['/aaa/bb'], '/aaa/bbb', undefined],
  [['/aaa/bbb'], '/aaa/bbb', '/aaa/bbb'],
  [['/aaa/bbb'], '/aaa/bbb/', '/aaa/bbb'],
  [['/aaa/bbb'], '/aaa/bbb/ccc', '/aaa/bbb'],
  [['/aaa/bbb'], '/aaa/bbbxyz', undefined],
  [['/aaa', '/'], '/aaa/ccc', '/aaa'],
  [['/aaa/bbb', '/aaa', '/'], '/aaa/bbb', '/aaa/bbb'],
  [['/aaa/bbb', '/aaa', '/'], '/ccc', '/'],
  [['/aaa'], '/ccc', undefined],
  [['=/foo', '/foo'], '/foo', '=/foo'],
  [['=/foo', '/foo'], '/foo/', '/foo'],
  [['/aaa/bbb', '/aaa'], '/aaaccc', undefined],
];

test('the Kubernetes conformance table', () => {
  for (const [routes, path, expected] of conformance) {
    assert.equal(matchPath(hostOf(...routes), path)?.id, expected, `${routes.join(' ')} on ${path}`);
  }
});

test('of two routes with one path, the first has it', () => {
  const [first, second] = hostOf('/foo', '/foo').routes;
  assert.ok(first && second);
  assert.equal(matchPath({ host: 'h', routes: [first, second] }, '/foo/x'), first);
});

test('the index finds what reading all routes would', () => {
  const segment = fc.constantFrom('a', 'b', 'ab', 'A');
  const path = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
  const spec = fc.tuple(fc.boolean(), path).map(([exact, at]) => (exact ? `=${at}` : at));
  fc.assert(
    fc.property(fc.array(spec, { maxLength: 12 }), path, fc.boolean(), (specs, asked, slash) => {
      const target = slash && asked !== '/' ? `${asked}/` : asked;
      const host = hostOf(...specs);
      assert.equal(matchPath(host, target), naiveMatch(host, target));
    }),
    { numRuns: 3_000 },
  );
});

function naiveMatch({ routes }: HostRoutes, path: string): Route | undefined {
  const exact = routes.find((route) => route.match === 'Exact' && route.path === path);
  if (exact !== undefined) return exact;
  const prefixes = routes.filter(
    (route) =>
      route.match === 'Prefix' && (route.path === '/' || path === route.path || path.startsWith(`${route.path}/`)),
  );
  return prefixes.reduce<Route | undefined>(
    (best, route) => (best === undefined || route.path.length > best.path.length ? route : best),
    undefined,
  );
}

test('a host is its own, its wildcard’s for one label, else nobody’s', () => {
  const hosts = ['app.example.com', '*.example.com', ''].map((host): [string, HostRoutes] => [
    host,
    { ...hostOf('/'), host },
  ]);
  const table: RouteTable = { ...emptyTable(defaultClassSettings), hosts: new Map(hosts) };
  const found = (host: string): string | undefined => matchHost(table, host)?.host;
  assert.equal(found('app.example.com'), 'app.example.com');
  assert.equal(found('other.example.com'), '*.example.com');
  assert.equal(found('a.b.example.com'), '');
  assert.equal(found('example.com'), '');
  assert.equal(matchRoute(table, 'other.example.com', '/x')?.id, '/');
  assert.equal(matchRoute({ ...table, hosts: new Map() }, 'app.example.com', '/'), undefined);
});

test('five thousand paths cost what one does', () => {
  const many = hostOf(...Array.from({ length: 5_000 }, (_, at) => `/app/${at}`));
  const one = hostOf('/app/4999');
  const time = (host: HostRoutes): number => {
    for (let round = 0; round < 20_000; round += 1) matchPath(host, '/app/4999/x');
    const began = performance.now();
    for (let round = 0; round < 50_000; round += 1) matchPath(host, '/app/4999/x');
    return performance.now() - began;
  };
  // Measured: 8 ms and 9 ms. Reading through the list would be some hundred times as slow.
  assert.ok(time(many) < time(one) * 10 + 20);
});
