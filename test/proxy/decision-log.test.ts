// The decision log and its metrics: a line and a count for each decision, when it is made, and what they say.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthorityError } from '../../src/auth/authority.ts';
import { decisionLine } from '../../src/model/decision-line.ts';
import type { Access, Operators, PolicyMode, Rule } from '../../src/model/policy.ts';
import { blocksOf, readPage } from '../docs/pages.ts';
import {
  ana,
  delay,
  engineersAccess,
  eventually,
  publicAccess,
  sentHeader,
  session,
  signedInAccess,
  withRig,
} from './rig.ts';
import type { Rig, RigOptions } from './rig.ts';

const cookie = 'Cookie: __Host-sallyport=good';
const local = 'Host: app.localhost';

function accessOf(...policies: readonly (readonly [string, PolicyMode, readonly Rule[]])[]): Access {
  return {
    policies: policies.map(([name, mode, rules]) => ({ policy: { name, mode, rules }, attachment: 'Own' })),
    defaultAccess: 'Deny',
  };
}

const everybody: Operators = { or: [{ accept: true }] };
const staff: Rule = { name: 'staff', allow: { and: [{ groups: { has: 'staff' } }] } };
const night: Rule = { name: 'no deletes', deny: { and: [{ httpMethod: { is: 'DELETE' } }] } };
const admins: Rule = { name: 'admins', allow: { and: [{ groups: { has: 'admins' } }] } };
const fresh: Rule = { allow: { and: [{ authenticatedWithin: '5m' }] } };

const routes: NonNullable<RigOptions['hosts']> = (to) => [
  {
    host: 'app.localhost',
    routes: [
      to('/staff', accessOf(['Policy a/staff', 'Enforce', [staff, night]])),
      to(
        '/trial',
        accessOf(['Policy a/open', 'Enforce', [{ allow: everybody }]], ['Policy a/trial', 'Audit', [admins]]),
      ),
      to(
        '/agreed',
        accessOf(['Policy a/open', 'Enforce', [{ allow: everybody }]], ['Policy a/trial', 'Audit', [staff]]),
      ),
      to('/fresh', accessOf(['Policy a/fresh', 'Enforce', [fresh]])),
      to('/fault', publicAccess, { denied: 'there is no Policy nobody-wrote-it' }),
      to('/', publicAccess, {
        cors: { origins: ['*'], methods: ['GET'], exposed: [], credentials: false, maxAgeSeconds: 1 },
      }),
    ],
  },
];

type Line = Record<string, unknown>;
const decisionsIn = ({ lines }: Rig): Line[] => lines.filter(({ msg }) => msg === 'decision');

function withLog(decisionLog: 'all' | 'denied' | 'none', run: (rig: Rig) => Promise<void>): Promise<void> {
  return withRig({ hosts: routes, proxy: { decisionLog } }, run);
}

test('a line holds who asked for what, what was decided, and by which policy, rule and reasons', () =>
  withLog('all', async (rig) => {
    await rig.get('/staff/x?q=1', local, cookie);
    const [{ level, ...line } = {}] = decisionsIn(rig);
    assert.equal(level, 'info');
    const { time, authenticatedAt, sessionStartedAt, ...rest } = decisionLine.strict().parse(line);
    assert.ok(
      [time, authenticatedAt, sessionStartedAt].every(
        (moment) => Math.abs(Date.parse(moment ?? '') - Date.now()) < 60_000,
      ),
    );
    assert.deepEqual(rest, {
      msg: 'decision',
      id: sentHeader(rig.upstream.requests[0], 'x-request-id'),
      route: 'default/test app.example.com/staff',
      ingress: 'default/test',
      host: 'app.localhost',
      method: 'GET',
      path: '/staff/x',
      client: '127.0.0.1',
      provider: 'okta',
      session: 'session-',
      user: 'u-ana',
      email: 'ana@example.com',
      groups: ['engineering', 'staff'],
      verdict: 'Allow',
      policy: 'Policy a/staff',
      rule: 'staff',
      reasons: ['groups-ok'],
    });
  }));

test('a refusal names the rule that refused; nobody signed in has no person; a stale sign-in has its seconds', () =>
  withLog('all', async (rig) => {
    const told = async (ask: Promise<unknown>, ...names: readonly string[]) => {
      await ask;
      const line = decisionsIn(rig).at(-1) ?? {};
      return names.map((name) => line[name]);
    };
    const remove = rig.send(`DELETE /staff HTTP/1.1\r\n${local}\r\n${cookie}\r\n\r\n`);
    assert.deepEqual(await told(remove, 'verdict', 'policy', 'rule', 'reasons'), [
      'Deny',
      'Policy a/staff',
      'no deletes',
      ['http-method-ok'],
    ]);
    assert.deepEqual(await told(rig.get('/staff', local), 'verdict', 'reasons', 'user', 'groups', 'session'), [
      'Login',
      ['user-unauthenticated'],
      undefined,
      undefined,
      undefined,
    ]);
    rig.authority.sessions.set('old', session('s-old', { authenticatedAt: Date.now() - 3_600_000 }));
    const stale = rig.get('/fresh', local, 'Cookie: __Host-sallyport=old');
    assert.deepEqual(await told(stale, 'verdict', 'stepUp', 'reasons'), [
      'Login',
      { withinSeconds: 300 },
      ['authenticated-within-unauthorized'],
    ]);
  }));

test('what is in Audit is told beside what was decided', () =>
  withLog('all', async (rig) => {
    await rig.get('/trial', local, cookie);
    await rig.get('/agreed', local, cookie);
    const [differs, agrees] = decisionsIn(rig);
    assert.deepEqual(differs?.['trial'], {
      verdict: 'Deny',
      policy: 'Policy a/trial',
      reasons: ['groups-unauthorized'],
    });
    assert.deepEqual([differs?.['verdict'], differs?.['policy']], ['Allow', 'Policy a/open']);
    assert.deepEqual(agrees?.['trial'], {
      verdict: 'Allow',
      policy: 'Policy a/open',
      reasons: ['accept'],
    });
  }));

test('a route at fault is told with its fault; a preflight that we answer, a 404 and places of ours are no decisions', () =>
  withLog('all', async (rig) => {
    await rig.get('/fault', local, cookie);
    const [line] = decisionsIn(rig);
    assert.deepEqual(
      [line?.['verdict'], line?.['fault'], line?.['reasons'], line?.['policy']],
      ['Deny', 'there is no Policy nobody-wrote-it', [], undefined],
    );
    rig.lines.length = 0;
    const preflight = 'Origin: https://a.example\r\nAccess-Control-Request-Method: GET';
    await rig.send(`OPTIONS / HTTP/1.1\r\n${local}\r\n${preflight}\r\n\r\n`);
    await rig.get('/.sallyport/user', local);
    await rig.get('/', 'Host: other.example');
    rig.authority.open = () => Promise.reject(new AuthorityError('away'));
    await rig.get('/staff', local, 'Cookie: __Host-sallyport=unread');
    await eventually(() => rig.lines.length === 4, 'the requests are told');
    assert.deepEqual(decisionsIn(rig), []);
  }));

test('`denied` keeps back a plain yes alone, and `none` everything; both count', async () => {
  const ask = async ({ get }: Rig): Promise<void> => {
    for (const path of ['/', '/staff', '/agreed', '/trial', '/fault']) await get(path, local, cookie);
    await get('/staff', local);
  };
  const written = { denied: ['/trial', '/fault', '/staff'], none: [] };
  for (const decisionLog of ['denied', 'none'] as const) {
    await withLog(decisionLog, async (rig) => {
      await ask(rig);
      assert.deepEqual(
        decisionsIn(rig).map(({ path }) => path),
        written[decisionLog],
      );
      const counted = (await rig.metrics.decisions.get()).values.map(({ labels, value }) => [
        labels.decision,
        labels.reason,
        value,
      ]);
      assert.deepEqual(counted, [
        ['Allow', 'none', 4],
        ['Deny', 'none', 1],
        ['Login', 'user-unauthenticated', 1],
      ]);
      const tried = (await rig.metrics.trialDecisions.get()).values.map(({ labels, value }) => [labels.trial, value]);
      assert.deepEqual(tried, [
        ['Allow', 1],
        ['Deny', 1],
      ]);
    });
  }
});

test('a line is there before the application has answered', () =>
  withRig({ proxy: { decisionLog: 'all' }, application: () => undefined }, async (rig) => {
    void rig.get('/').catch(() => undefined);
    await eventually(() => rig.upstream.requests.length === 1, 'the application was asked');
    assert.deepEqual(
      rig.lines.map(({ msg }) => msg),
      ['decision'],
    );
  }));

test('a stream that a renewed session may no longer hold ends with a decision of its own', () =>
  withRig({ proxy: { decisionLog: 'denied' }, application: () => undefined }, async (rig) => {
    const soon = { ...session('session-good'), renewAt: Date.now() + 50 };
    rig.authority.sessions.set('good', soon);
    void rig.get('/engineers', cookie).catch(() => undefined);
    await eventually(() => rig.upstream.requests.length === 1, 'the application was asked');
    rig.authority.sessions.set('good', session('session-good', { identity: { ...ana, groups: [] } }));
    await eventually(() => decisionsIn(rig).length === 1, 'the refusal is told');
    assert.deepEqual(decisionsIn(rig)[0]?.['reasons'], ['groups-unauthorized']);
  }));

test('of a hundred groups and more, a hundred are named and the rest counted', () =>
  withRig({ proxy: { decisionLog: 'all' } }, async (rig) => {
    const groups = Array.from({ length: 250 }, (_, at) => `group-${at}`);
    rig.authority.sessions.set('many', session('s-many', { identity: { ...ana, groups }, authenticatedAt: 1e300 }));
    await rig.get('/private', 'Host: app.example.com', 'Cookie: __Host-sallyport=many');
    const [line] = decisionsIn(rig);
    assert.deepEqual(line?.['groups'], groups.slice(0, 100));
    assert.equal(line['groupsOmitted'], 150);
    assert.equal(line['authenticatedAt'], undefined);
  }));

test('that there are groups which nobody can tell is told', () =>
  withRig({ proxy: { decisionLog: 'all' } }, async (rig) => {
    const identity = { ...ana, groups: ['staff'], groupsUnknown: true } as const;
    rig.authority.sessions.set('some', session('s-some', { identity }));
    await rig.get('/private', 'Host: app.example.com', 'Cookie: __Host-sallyport=some');
    await rig.get('/private', 'Host: app.example.com', cookie);
    assert.deepEqual(
      decisionsIn(rig).map(({ groups, groupsUnknown }) => [groups, groupsUnknown]),
      [
        [['staff'], true],
        [ana.groups, undefined],
      ],
    );
  }));

test('the access log has the verdict, and where none was made, none', () =>
  withRig(
    { hosts: (to) => [{ host: 'app.localhost', routes: [to('/e', engineersAccess), to('/', signedInAccess)] }] },
    async ({ get, lines }) => {
      await get('/', local, cookie);
      await get('/', local);
      await get('/', 'Host: other.example');
      await delay(20);
      assert.deepEqual(
        lines.map(({ verdict }) => verdict),
        ['Allow', 'Login', undefined],
      );
    },
  ));

const page = 'docs/decision-log.md';

test('the page explains each field that there is, and no other', () => {
  const [, rows = ''] = readPage(page).split('| Field | Meaning |');
  const explained = (rows.split('\n\n', 1)[0] ?? '')
    .split('\n')
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name));
  assert.deepEqual(new Set(explained), new Set(['level', ...Object.keys(decisionLine.shape)]));
});

test('the example of the page is what is written, field for field', () => {
  const example = blocksOf(page).find(({ language }) => language === 'json');
  const shown = JSON.parse(example?.text ?? '') as Line & {
    groups: string[];
    authenticatedAt: string;
    sessionStartedAt: string;
  };
  const { policy: trialPolicy } = shown['trial'] as { policy: string };
  const access: Access = accessOf(
    [String(shown['policy']), 'Enforce', [{ allow: everybody }]],
    [trialPolicy, 'Audit', [admins]],
  );
  const hosts: NonNullable<RigOptions['hosts']> = (to) => [
    {
      host: String(shown['host']),
      routes: [to('/', access, { id: String(shown['route']), ingress: { namespace: 'monitoring', name: 'grafana' } })],
    },
  ];
  const identity = { user: String(shown['user']), email: String(shown['email']), groups: shown.groups, claims: {} };
  const opened = session(`${String(shown['session'])}-and-more`, {
    identity,
    authenticatedAt: Date.parse(shown.authenticatedAt),
    startedAt: Date.parse(shown.sessionStartedAt),
  });
  const settings = { trustedProxies: ['127.0.0.1'] };
  return withRig({ hosts, settings, proxy: { decisionLog: 'denied' } }, async (rig) => {
    rig.authority.sessions.set('eve', opened);
    const lines = [
      `Host: ${String(shown['host'])}`,
      'Cookie: __Host-sallyport=eve',
      `X-Forwarded-For: ${String(shown['client'])}`,
    ];
    await rig.get(`${String(shown['path'])}?never=told`, ...lines);
    const [line = {}] = decisionsIn(rig);
    assert.deepEqual(Object.keys(line), Object.keys(shown));
    assert.deepEqual({ ...line, id: shown['id'], time: shown['time'] }, shown);
  });
});
