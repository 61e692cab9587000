// Why a request takes no other route: each reason that there is, and no more of them than anybody reads.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnostic } from '../../src/model/diagnostic.ts';
import type { HostRoutes, Route, RouteTable } from '../../src/model/route.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import { matchHost, matchPath } from '../../src/proxy/match.ts';
import { neighboursOf } from '../../src/review/neighbours.ts';

function hostOf(host: string, ...paths: string[]): HostRoutes {
  const routes = paths.map((path): Route => {
    const match = path.startsWith('=') ? 'Exact' : 'Prefix';
    const ingress = { namespace: 'a', name: 'b' };
    const access = { policies: [], defaultAccess: 'Deny' as const };
    return { id: `a/b ${host}${path}`, ingress, path: path.replace('=', ''), match, access, providers: [] };
  });
  return { host, routes };
}

function neighbours(hosts: readonly HostRoutes[], host: string, path: string, diagnostics: readonly Diagnostic[] = []) {
  const table: RouteTable = {
    generation: 1,
    settings: defaultClassSettings,
    hosts: new Map(hosts.map((one) => [one.host, one])),
  };
  const chosen = matchHost(table, host);
  const route = chosen && matchPath(chosen, path);
  const given = chosen && { chosen: { host: chosen, ...(route && { route }) } };
  return neighboursOf({ table, diagnostics, host, path, ...given }).map(({ route: other, ingress, because }) => [
    other === undefined ? ingress : `${other.host}${other.match === 'Exact' ? '=' : ''}${other.path}`,
    because,
  ]);
}

test('a route that matches too lost by precedence, and is told first', () => {
  const hosts = [hostOf('h', '=/a/b', '/a', '/ax', '/')];
  assert.deepEqual(neighbours(hosts, 'h', '/a/b'), [
    ['h/a', 'it matches too, and exact comes before prefix'],
    ['h/', 'it matches too, and exact comes before prefix'],
    ['h/ax', '/a/b does not lie under /ax'],
  ]);
  assert.deepEqual(neighbours(hosts, 'h', '/a/c'), [
    ['h/', 'it matches too, and the longer prefix comes first'],
    ['h=/a/b', 'it is exact, and /a/c is not /a/b'],
    ['h/ax', '/a/c does not lie under /ax'],
  ]);
});

test('a path that begins with the same letters does not lie under another', () => {
  assert.deepEqual(neighbours([hostOf('h', '/a', '/')], 'h', '/ab'), [['h/a', '/ab does not lie under /a']]);
});

test('hosts that come after the one chosen, or stand for other names', () => {
  const hosts = [hostOf('x.example.com', '/'), hostOf('*.example.com', '/'), hostOf('', '/')];
  assert.deepEqual(neighbours(hosts, 'x.example.com', '/'), [
    ['*.example.com/', 'the name x.example.com itself comes before a wildcard'],
    ['*/', 'it takes only requests whose host nobody claims'],
  ]);
  assert.deepEqual(neighbours(hosts, 'y.example.com', '/'), [
    ['*/', 'it takes only requests whose host nobody claims'],
    ['x.example.com/', 'its name is like the one asked for, and another'],
  ]);
  assert.deepEqual(neighbours(hosts.slice(0, 2), 'a.b.example.com', '/'), [
    ['*.example.com/', 'a wildcard stands for one label, and a.b.example.com has more of them'],
  ]);
});

test('an Ingress that asks for the host and has nothing of it', () => {
  const object = { kind: 'Ingress', namespace: 'other', name: 'late' };
  const common = { severity: 'error', object, path: 'spec.rules[0].host' } as const;
  const diagnostics: Diagnostic[] = [
    { ...common, code: 'HostOwnedElsewhere', message: 'it belongs to a', host: 'h' },
    { ...common, code: 'HostOwnedElsewhere', message: 'of another host', host: 'i' },
    { ...common, code: 'NoEndpoints', message: 'of something else' },
  ];
  assert.deepEqual(neighbours([hostOf('h', '/')], 'h', '/', diagnostics), [['Ingress other/late', 'it belongs to a']]);
});

test('of a host with thousands of routes a few are told', () => {
  const paths = Array.from({ length: 5_000 }, (_, index) => `/p${index}`);
  const found = neighbours([hostOf('h', ...paths, '/')], 'h', '/p7');
  assert.equal(found.length, 20);
  assert.deepEqual(found[0], ['h/', 'it matches too, and the longer prefix comes first']);
});
