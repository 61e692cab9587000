// The decisions that are remembered: how many, without which headers, and that each explains what it was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Criterion } from '../../src/model/criteria.ts';
import type { Route } from '../../src/model/route.ts';
import type { Decision, Facts } from '../../src/model/verdict.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import { explain } from '../../src/policy/explain.ts';
import type { Decided } from '../../src/proxy/decision.ts';
import { createDecisions, keptDecisions } from '../../src/proxy/decisions.ts';
import { sentHeader, withRig } from './rig.ts';

function routeThatAsks(...criteria: Criterion[]): Route {
  const policy = { name: 'Policy a/b', mode: 'Enforce', rules: [{ allow: { and: criteria } }] } as const;
  const access = { policies: [{ policy, attachment: 'Own' as const }], defaultAccess: 'Deny' as const };
  return { id: 'a/b h/', ingress: { namespace: 'a', name: 'b' }, path: '/', match: 'Prefix', access, providers: [] };
}

const headers = new Map([
  ['cookie', ['COOKIE-CANARY']],
  ['authorization', ['Bearer TOKEN-CANARY']],
  ['x-secret', ['HEADER-CANARY']],
  ['x-team', ['core']],
]);
const facts: Facts = {
  method: 'GET',
  host: 'h',
  path: '/',
  query: '?token=QUERY-CANARY&team=core',
  headers,
  ip: '192.0.2.1',
  now: 0,
};

function decided(id: string, route: Route, decision?: Decision): Decided {
  const verdict = decision === undefined ? evaluate(route.access, facts) : { decision };
  return { id, route, facts, verdict };
}

test('as many as said are remembered of those let in, and as many of the others', () => {
  const decisions = createDecisions(3);
  const route = routeThatAsks({ accept: true });
  for (const id of ['a', 'b', 'c', 'd']) decisions.keep(decided(id, route, 'Allow'));
  for (const id of ['e', 'f', 'g', 'h']) decisions.keep(decided(id, route, id < 'g' ? 'Deny' : 'Login'));
  const known = (ids: string) =>
    ids
      .split('')
      .filter((id) => decisions.find(id) !== undefined)
      .join('');
  assert.equal(known('abcdefgh'), 'bcdfgh');
  assert.equal(keptDecisions, 500);
});

test('a flood of those who are let in pushes out nobody who was refused', () => {
  const decisions = createDecisions();
  const route = routeThatAsks({ accept: true });
  decisions.keep(decided('refused', route, 'Deny'));
  for (let index = 0; index < 2 * keptDecisions; index += 1) decisions.keep(decided(`${index}`, route, 'Allow'));
  assert.equal(decisions.find('refused')?.requestId, 'refused');
  assert.equal(decisions.find('0'), undefined);
});

const criteria: Readonly<Record<string, { readonly criterion: Criterion; readonly keeps: RegExp }>> = {
  'asks for nothing': { criterion: { accept: true }, keeps: /^$/ },
  'asks for a header': { criterion: { header: { name: 'X-Team', is: 'core' } }, keeps: /^x-team$/ },
  'asks for a parameter': { criterion: { query: { name: 'team', is: 'core' } }, keeps: /^$/ },
  'asks for a credential': { criterion: { header: { name: 'Authorization', startsWith: 'Bearer ' } }, keeps: /^$/ },
  'asks for the cookies': { criterion: { header: { name: 'cookie', contains: 'CANARY' } }, keeps: /^$/ },
  'asks in CEL for any header': { criterion: { cel: `request.headers['cookie'].contains('CANARY')` }, keeps: /^$/ },
  'asks in CEL for the method': { criterion: { cel: `request.method == 'GET'` }, keeps: /^$/ },
};

for (const [name, { criterion, keeps }] of Object.entries(criteria)) {
  test(`a policy that ${name}: what is kept holds no credential, and explains the verdict that was`, () => {
    const decisions = createDecisions();
    const route = routeThatAsks(criterion);
    const one = decided('x', route);
    assert.equal(one.verdict.decision, 'Allow');
    decisions.keep(one);
    const kept = decisions.find('x');
    assert.ok(kept);
    const text = JSON.stringify(kept, (_, value: unknown) => (value instanceof Map ? [...value] : value));
    assert.doesNotMatch(text.replaceAll(JSON.stringify(route), ''), /COOKIE-CANARY|TOKEN-CANARY|HEADER-CANARY/);
    assert.equal(/QUERY-CANARY/.test(text), criterion.query !== undefined);
    assert.match([...kept.facts.headers.keys()].join(), keeps);
    assert.deepEqual(kept.explanation ?? explain(route.access, kept.facts), explain(route.access, facts));
  });
}

test('the proxy remembers what it decided, by the id that the client or the application was told', () =>
  withRig({}, async ({ proxy, get }) => {
    const decisionOf = async (path: string, ...lines: string[]) => {
      const answer = await get(path, ...lines);
      return proxy.decisions.find(answer.header('x-request-id') ?? sentHeader(answer.body, 'x-request-id') ?? '');
    };
    const cookie = 'Cookie: __Host-sallyport=good';
    assert.equal((await decisionOf('/'))?.route.path, '/');
    const engineers = await decisionOf('/engineers', cookie);
    assert.deepEqual([engineers?.route.path, engineers?.facts.identity?.email], ['/engineers', 'ana@example.com']);
    assert.equal((await decisionOf('/private'))?.facts.identity, undefined);
    // Nothing was decided.
    assert.equal(await decisionOf('/a/../b'), undefined);
    assert.equal(await decisionOf('/', 'Host: nobody.example.com'), undefined);
  }));
