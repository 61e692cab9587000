// A request under way, decided about again: by the table of the moment, and by sessions that count there alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workloadProvider } from '../../src/model/identity.ts';
import { emptyTable } from '../../src/model/route.ts';
import type { Access } from '../../src/model/policy.ts';
import type { Route, RouteTable } from '../../src/model/route.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import type { ClassSettings } from '../../src/model/settings.ts';
import { decideAgain } from '../../src/proxy/decision.ts';
import { canonicalRequest } from '../../src/proxy/request.ts';
import { session, signedInAccess } from './rig.ts';

const host = 'app.example.com';
const settings: ClassSettings = defaultClassSettings;
const raw = { method: 'GET', target: '/a', peer: '127.0.0.1', encrypted: true, port: 443 };
const canonical = canonicalRequest({ ...raw, rawHeaders: ['Host', host] }, settings);
assert('ok' in canonical);
const asked = canonical.ok;

function tableOf(change: Partial<Route> = {}): RouteTable {
  const route: Route = {
    id: 'r',
    ingress: { namespace: 'default', name: 'app' },
    path: '/',
    match: 'Prefix',
    access: signedInAccess,
    providers: ['okta'],
    ...change,
  };
  return { ...emptyTable(settings), hosts: new Map([[host, { host, routes: [route] }]]) };
}

const person = session('one').session;
const workload = {
  ...person,
  provider: workloadProvider,
  identity: { user: 'system:serviceaccount:ci:runner', serviceAccount: 'ci/runner', groups: [], claims: {} },
};
const runners: Access = {
  policies: [
    {
      policy: {
        name: 'runners',
        mode: 'Enforce',
        rules: [{ allow: { and: [{ serviceAccount: { is: 'ci/runner' } }] } }],
      },
      attachment: 'Own',
    },
  ],
  defaultAccess: 'Deny',
};
const again = (table: RouteTable, of = person) => decideAgain('id', asked, table, of, Date.now())?.verdict.decision;

test('what nothing changed for is allowed as before', () => {
  assert.equal(again(tableOf()), 'Allow');
});

test('a session of a provider that no longer counts is none', () => {
  assert.equal(again(tableOf({ providers: ['github'] })), 'Login');
});

test('a workload counts where a policy asks for workloads, and nowhere else', () => {
  assert.equal(again(tableOf({ access: runners, providers: [], workloads: true }), workload), 'Allow');
  assert.equal(again(tableOf({ access: runners, providers: ['okta'] }), workload), 'Login');
});

test('a route whose objects are at fault by now refuses', () => {
  assert.equal(again(tableOf({ denied: 'there is no Policy' })), 'Deny');
});

test('where nothing is served any more, nothing is refused either', () => {
  assert.equal(again(emptyTable(settings)), undefined);
  assert.equal(again({ ...emptyTable(settings), hosts: new Map([[host, { host, routes: [] }]]) }), undefined);
});
