// CVE-2022-23469's kind: whoever may read the log learns what opens doors. Reasons name what a policy asks for, never what it saw.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Access, Operators, PolicyMode } from '../../../src/model/policy.ts';
import { ana, eventually, session, withRig } from '../../proxy/rig.ts';
import type { Rig } from '../../proxy/rig.ts';

const canaries = {
  cookie: 'canary-of-a-cookie',
  foreignCookie: 'canary-of-another-cookie',
  token: 'canary-of-a-token',
  query: 'canary-of-a-query',
  header: 'canary-of-a-header',
  claim: 'canary-of-a-claim',
  session: 'canary-of-a-session-id',
};

/** Everything that carries a canary is asked for, by criteria and by CEL. */
const looking: Operators = {
  and: [
    { header: { name: 'X-Secret', contains: 'canary' } },
    { header: { name: 'Authorization', contains: 'canary' } },
    { header: { name: 'Cookie', contains: 'canary' } },
    { query: { name: 'secret', contains: 'canary' } },
    { cel: 'request.headers["x-secret"].contains("canary")' },
    { cel: 'request.query["secret"].exists(value, value.contains("canary"))' },
  ],
};
const looksAtClaims: Operators = {
  and: [{ claim: { path: ['secret'], has: canaries.claim } }, { cel: 'user.claims.secret == "no such claim"' }],
};

function access(...policies: readonly (readonly [PolicyMode, 'allow' | 'deny', Operators])[]): Access {
  return {
    policies: policies.map(([mode, action, operators], index) => ({
      policy: { name: `Policy a/p${index}`, mode, rules: [{ name: `rule ${index}`, [action]: operators }] },
      attachment: 'Own',
    })),
    defaultAccess: 'Deny',
  };
}

const open: Operators = { or: [{ accept: true }] };

/** By path, with what comes of it for somebody signed in and for nobody. */
const cases: Readonly<Record<string, { access: Access; verdicts: readonly [string, string] }>> = {
  '/allowed': { access: access(['Enforce', 'allow', looking]), verdicts: ['Allow', 'Allow'] },
  '/denied': {
    access: access(['Enforce', 'allow', open], ['Enforce', 'deny', looking]),
    verdicts: ['Deny', 'Deny'],
  },
  '/claims': { access: access(['Enforce', 'allow', looksAtClaims]), verdicts: ['Deny', 'Login'] },
  '/audit': {
    access: access(['Enforce', 'allow', open], ['Audit', 'deny', looking], ['Audit', 'allow', looksAtClaims]),
    verdicts: ['Allow', 'Allow'],
  },
};

const carriers = [
  `Authorization: Bearer ${canaries.token}`,
  `X-Secret: ${canaries.header}`,
  `User-Agent: ${canaries.header}`,
  `Referer: https://app.example.com/?secret=${canaries.query}`,
];

async function ask({ get, send, authority }: Rig): Promise<void> {
  const identity = { ...ana, claims: { secret: canaries.claim } };
  authority.sessions.set(canaries.cookie, session(`opened-${canaries.session}`, { identity }));
  const mine = `Cookie: __Host-sallyport=${canaries.cookie}; other=${canaries.foreignCookie}`;
  for (const cookie of [mine, `Cookie: other=${canaries.foreignCookie}`]) {
    for (const path of Object.keys(cases)) {
      const target = `${path}?secret=${canaries.query}`;
      await get(target, 'Host: app.localhost', cookie, ...carriers);
      const lines = ['Host: app.localhost', cookie, ...carriers, 'Sec-Fetch-Mode: navigate', 'Accept: text/html'];
      await send(`POST ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`);
    }
  }
}

test('nothing that opens a door is in any line, whatever was decided and whatever the policies looked at', () =>
  withRig(
    {
      proxy: { decisionLog: 'all', accessLog: 'all' },
      hosts: (to) => [
        { host: 'app.localhost', routes: Object.entries(cases).map(([path, { access }]) => to(path, access)) },
      ],
    },
    async (rig) => {
      await ask(rig);
      await eventually(() => rig.lines.length === 32, 'a line for each request and each decision');
      const decisions = rig.lines.filter(({ msg }) => msg === 'decision');
      const verdicts = (path: string, isSignedIn: boolean) =>
        decisions
          .filter((line) => line['path'] === path && (line['user'] !== undefined) === isSignedIn)
          .map(({ verdict }) => verdict);
      for (const [path, { verdicts: expected }] of Object.entries(cases)) {
        assert.deepEqual(verdicts(path, true), [expected[0], expected[0]], path);
        assert.deepEqual(verdicts(path, false), [expected[1], expected[1]], path);
      }
      assert.equal(decisions.filter(({ trial }) => trial !== undefined).length, 4);
      const written = JSON.stringify(rig.lines);
      assert.ok(written.includes('ana@example.com'), 'the person is told');
      for (const [carrier, canary] of Object.entries(canaries)) assert.ok(!written.includes(canary), carrier);
      assert.ok(!written.includes('canary'));
      assert.ok(!written.includes('assertion-of'));
    },
  ));
