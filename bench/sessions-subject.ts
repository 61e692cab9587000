// The process that bench/sessions.ts measures: a proxy with a session, `auth` signing people in, or a cache of sessions.
import { encodeTicket } from '../src/auth/cookie.ts';
import { createKeyRing } from '../src/auth/keys.ts';
import { createLocalAuthority } from '../src/auth/local.ts';
import { createSession } from '../src/auth/session/session.ts';
import type { SignedIn } from '../src/auth/session/session.ts';
import { isRefused } from '../src/auth/authority.ts';
import type { Authority } from '../src/auth/authority.ts';
import type { Access, AttachedPolicy, Operators } from '../src/model/policy.ts';
import { emptyTable, tableUpdate } from '../src/model/route.ts';
import type { Route } from '../src/model/route.ts';
import { defaultClassSettings } from '../src/model/settings.ts';
import { createAssertions } from '../src/proxy/assertions.ts';
import { decide } from '../src/proxy/decision.ts';
import { createOpened } from '../src/proxy/opened.ts';
import { canonicalRequest } from '../src/proxy/request.ts';
import { createProxy } from '../src/proxy/server.ts';
import { createSessions } from '../src/proxy/sessions.ts';
import { createMemoryStore } from '../src/sessions/memory.ts';
import { createLogger, createMetrics } from '../src/telemetry.ts';
import { providerSettings } from '../test/auth/fake-provider.ts';
import { createBrowser, createHouse, visit } from '../test/auth/rig.ts';

export type Asked =
  | { readonly kind: 'Serve'; /** The application's port. */ readonly upstream: number }
  | { readonly kind: 'Spent' }
  | { readonly kind: 'Steps'; readonly times: number }
  | { readonly kind: 'SignIn'; readonly issuer: string; readonly seconds: number }
  | { readonly kind: 'Remember'; readonly sessions: number };

export type Told =
  | { readonly kind: 'Serve'; readonly port: number; readonly cookie: string }
  /** CPU of the steps of one request alone, without its sockets, microseconds. */
  | { readonly kind: 'Steps'; readonly with: number; readonly without: number }
  /** CPU time of this process so far, microseconds. */
  | { readonly kind: 'Spent'; readonly us: number }
  | { readonly kind: 'SignIn'; readonly perSecond: number; readonly cpuMs: number; readonly browsers: number }
  | { readonly kind: 'Remember'; readonly bytes: number };

const host = 'app.example.com';
const log = createLogger('silent');
const metrics = createMetrics();
const ring = createKeyRing();

const groups = ['engineering', ...Array.from({ length: 19 }, (_, index) => `a group of some length, number ${index}`)];
const signedIn: SignedIn = {
  provider: 'okta',
  issuer: 'https://idp.example.com',
  subject: '00u1a2b3c4d5e6f7g8h9',
  identity: {
    user: '00u1a2b3c4d5e6f7g8h9',
    email: 'ana@example.com',
    name: 'Ana Example',
    groups,
    claims: {
      iss: 'https://idp.example.com',
      sub: '00u1a2b3c4d5e6f7g8h9',
      aud: '0oa1a2b3c4d5e6f7g8h9',
      iat: 1_700_000_000,
      exp: 1_700_003_600,
      auth_time: 1_700_000_000,
      amr: ['pwd', 'mfa'],
      acr: 'urn:example:2fa',
      email: 'ana@example.com',
      email_verified: true,
      name: 'Ana Example',
      preferred_username: 'ana',
      locale: 'en',
      department: 'Engineering',
      groups,
    },
  },
  tokens: { idToken: 'x'.repeat(1_200), accessToken: 'y'.repeat(1_000) },
  authenticatedAt: 1_700_000_000_000,
};

const own = (allow: Operators): AttachedPolicy => ({
  policy: { name: 'p', mode: 'Enforce', rules: [{ allow }] },
  attachment: 'Own',
});
const accessOf = (allow: Operators): Access => ({ policies: [own(allow)], defaultAccess: 'Deny' });

function routesTo(upstream: number): readonly [Route, Route] {
  const route = (path: string, access: Access): Route => ({
    id: `default/test ${host}${path}`,
    ingress: { namespace: 'default', name: 'test' },
    path,
    match: 'Prefix',
    access,
    providers: ['okta'],
    upstream: { name: 'default/app:80', protocol: 'http', endpoints: [{ address: '127.0.0.1', port: upstream }] },
  });
  return [
    route('/engineers', accessOf({ and: [{ groups: { has: 'engineering' } }, { domain: { is: 'example.com' } }] })),
    route('/public', accessOf({ and: [{ accept: true }] })),
  ];
}

/** `auth` with one session, and the cookie that opens it. */
async function signedInAuthority() {
  const store = createMemoryStore();
  const settings = { ...defaultClassSettings, providers: ['okta'] };
  const authority = createLocalAuthority({
    store,
    settings: { class: settings, providers: [], keyRing: ring },
    log,
    metrics,
  });
  const ticket = await createSession(store, ring, signedIn, Date.now(), settings);
  return { settings, authority, cookie: encodeTicket(ring, ticket, host, false) };
}

async function serve(upstream: number): Promise<Told> {
  const { settings, authority, cookie } = await signedInAuthority();
  const proxy = createProxy({
    http: { host: '127.0.0.1', port: 0 },
    authority,
    checkUpstreamAddresses: false,
    accessLog: 'none',
    decisionLog: 'none',
    log,
    metrics,
  });
  const routes = routesTo(upstream);
  // Behind something that ends TLS, so that plain http is fine.
  const table = {
    generation: 1,
    settings: { ...settings, trustedProxies: ['127.0.0.1'] },
    hosts: new Map([[host, { host, routes }]]),
  };
  proxy.update(tableUpdate(emptyTable(settings), table));
  const [listening] = await proxy.listen();
  return { kind: 'Serve', port: listening?.port ?? 0, cookie: `__Host-${settings.cookieName}=${cookie}` };
}

/** What a session adds to a request: opened, judged with its groups, vouched for. The same without one is a judgement alone. */
async function steps(times: number): Promise<Told> {
  const { settings, authority, cookie } = await signedInAuthority();
  const raw = { method: 'GET', target: '/engineers', peer: '127.0.0.1', encrypted: true, port: 443 };
  const canonical = canonicalRequest({ ...raw, rawHeaders: ['Host', host] }, settings);
  if (!('ok' in canonical)) throw new Error('the request is refused');
  const asked = canonical.ok;
  const sessions = createSessions({ authority, now: Date.now });
  const assertions = createAssertions({ authority });
  const [engineers, everybody] = routesTo(1);
  const spent = async (one: () => Promise<unknown>) => {
    for (let warm = 0; warm < times / 10; warm += 1) await one();
    const before = process.cpuUsage();
    for (let time = 0; time < times; time += 1) await one();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / times;
  };
  const withSession = await spent(async () => {
    const found = await sessions.find(host, [{ kind: 'Cookie', value: cookie }], engineers.providers);
    if (found === undefined || isRefused(found)) throw new Error('there is no session');
    const { verdict } = decide('id', asked, engineers, found.opened.session, Date.now());
    if (verdict.decision !== 'Allow') throw new Error('the request is refused');
    return assertions.tell({ found, host, route: engineers, requestId: 'id', settings });
  });
  const without = await spent(async () => decide('id', asked, everybody, undefined, Date.now()));
  sessions.close();
  return { kind: 'Steps', with: withSession, without };
}

const browsers = 16;

async function signIn(issuer: string, seconds: number): Promise<Told> {
  const house = createHouse({ providers: [providerSettings('fake', issuer)] });
  const atProvider = async (url: URL) => {
    const response = await fetch(url, { redirect: 'manual' });
    return new URL(response.headers.get('location') ?? '');
  };
  const once = () => visit(createBrowser(house, atProvider), `https://${host}/`);
  await Promise.all(Array.from({ length: browsers }, once));
  const before = process.cpuUsage();
  const until = performance.now() + seconds * 1_000;
  let count = 0;
  await Promise.all(
    Array.from({ length: browsers }, async () => {
      while (performance.now() < until) {
        const end = await once();
        if (end.kind !== 'Application') throw new Error(`a sign-in ended at ${JSON.stringify(end)}`);
        count += 1;
      }
    }),
  );
  const { user, system } = process.cpuUsage(before);
  await house.close();
  return { kind: 'SignIn', perSecond: count / seconds, cpuMs: (user + system) / 1_000 / count, browsers };
}

async function remember(sessions: number): Promise<Told> {
  let made = 0;
  const now = Date.now();
  const authority: Pick<Authority, 'open' | 'onEnded' | 'onDoubted'> = {
    // As it comes across a line between processes: each a copy of its own.
    open: async () =>
      structuredClone({
        session: {
          id: Buffer.from(String((made += 1)).padStart(16, '0')).toString('base64url'),
          provider: 'okta',
          identity: signedIn.identity,
          authenticatedAt: now,
          startedAt: now,
          expiresAt: now + 3_600_000,
        },
        renewAt: now + 3_600_000,
      }),
    onEnded: () => () => undefined,
    onDoubted: () => () => undefined,
  };
  const opened = createOpened({ authority: authority as Authority, now: () => now, timeoutMs: 1_000 });
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const secret = 'z'.repeat(90);
  for (let index = 0; index < sessions; index += 1) {
    // Flat text, as a parser cuts it from a header.
    const value = Buffer.from(`${index}`.padStart(22, '0') + `.${secret}`).toString('latin1');
    await opened.open(host, { kind: 'Cookie', value });
  }
  globalThis.gc?.();
  const bytes = process.memoryUsage().heapUsed - before;
  opened.close();
  return { kind: 'Remember', bytes };
}

function answer(asked: Asked): Promise<Told> {
  switch (asked.kind) {
    case 'Serve':
      return serve(asked.upstream);
    case 'Spent': {
      const { user, system } = process.cpuUsage();
      return Promise.resolve({ kind: 'Spent', us: user + system });
    }
    case 'Steps':
      return steps(asked.times);
    case 'SignIn':
      return signIn(asked.issuer, asked.seconds);
    case 'Remember':
      return remember(asked.sessions);
  }
}

process.on('message', (asked: Asked) => {
  void answer(asked).then((told) => process.send?.(told));
});
