// The Authority itself: which of our paths does what, over sessions, providers and the key ring.
import { AuthorityError, isRefused, jwksPath, ownPrefix } from './authority.ts';
import type { Answer, AssertionSubject, Authority, Credential, Opening, OwnRequest } from './authority.ts';
import { jwks, signAssertion } from './assertion.ts';
import { createBackChannel } from './logout/backchannel.ts';
import { judgeBearer } from './bearer/judge.ts';
import { createWorkloads } from './bearer/workloads.ts';
import type { Cluster } from './bearer/workloads.ts';
import { decodeTicket } from './cookie.ts';
import { heldSession, page, retryAfterSeconds } from './desk.ts';
import type { Desk } from './desk.ts';
import { createFrontChannel } from './logout/frontchannel.ts';
import { createKeyRing } from './keys.ts';
import { updateProviders } from './provider/providers.ts';
import { currentSession } from './session/current.ts';
import type { CurrentSession } from './session/current.ts';
import { createRefresher } from './session/refresh.ts';
import { chosenProvider } from './sign-in/choice.ts';
import { choicePath, isAuthenticationHost, logoutChannelPath } from './place.ts';
import { signOut, signedOut } from './logout/logout.ts';
import { createAdmission } from './sign-in/admission.ts';
import { codeCallback, providerCallback, requestedSignIn, startSignIn } from './sign-in/steps.ts';
import { endOwnSessions, ownSessions, ownSessionsPath } from './session/own.ts';
import { operate } from './revocation/operations.ts';
import type { Operated } from './revocation/operations.ts';
import { safeReturn } from './sign-in/login.ts';
import type { AuthoritySettings } from '../model/settings.ts';
import { StoreError } from '../sessions/store.ts';
import type { Store } from '../sessions/store.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import { createWitness } from './revocation/witness.ts';

export interface LocalAuthorityOptions {
  readonly store: Store;
  readonly settings: AuthoritySettings;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** What this replica is called, where operators are told which of them have ended a session. */
  readonly replica?: string;
  /** Resolves when the data path has acted on all ends that it was told of. */
  readonly settled?: () => Promise<unknown>;
  /** Whose workloads may show their tokens; absent: nobody's. */
  readonly cluster?: Cluster;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface LocalAuthority extends Authority {
  /** Takes effect with the next call; sign-ins under way go on. */
  update(settings: AuthoritySettings): void;
  /** Answers operators, whatever JSON they sent. Not of the Authority: the data path can ask nothing of this. */
  operate(question: unknown): Promise<Operated>;
  close(): Promise<void>;
}

export function createLocalAuthority({
  store,
  settings,
  log,
  metrics,
  replica = 'this replica',
  settled = async () => undefined,
  cluster,
  now = Date.now,
}: LocalAuthorityOptions): LocalAuthority {
  const ownRing = createKeyRing();
  let current = settings;
  const making = { log, metrics, now, graceMs: () => current.class.outageGraceMs };
  let providers = updateProviders(new Map(), settings.providers, making);

  const admission = createAdmission(now);
  const refresher = createRefresher({ store, log, metrics, now });
  const channels = { back: createBackChannel(), front: createFrontChannel() };

  const ring = () => current.keyRing ?? ownRing;
  const operators = { store, ring, replica, settled, log, now };
  const witness = createWitness(operators);
  const workloads = cluster && createWorkloads({ cluster, graceMs: () => current.class.outageGraceMs, now });

  const desk = (): Desk => ({
    store,
    settings: current.class,
    ring: ring(),
    providers: () => [...providers.values()].map(({ provider }) => provider),
    provider: (name) => providers.get(name)?.provider,
    ...(workloads && { workloads }),
    log,
    metrics,
    refresher,
    admission,
    now: now(),
    clock: now,
  });

  return {
    open: (host, credential) => orUnavailable(open(desk(), host, credential)),
    assert: (host, credential, subject) => orUnavailable(assertion(desk(), host, credential, subject)),
    signIn: (request) => answerOrUnavailable(log, startSignIn(desk(), request, request.path + request.query)),
    respond: (request) => answerOrUnavailable(log, respond(desk(), request, channels)),
    onEnded: (listener) =>
      store.watch((news) => {
        if (news.change === 'removed' && news.type === 'session') listener([news.id]);
      }),
    onDoubted: (listener) =>
      store.watch((news) => {
        if (news.change === 'unknown') listener();
      }),
    update(next) {
      current = next;
      providers = updateProviders(providers, next.providers, making);
    },
    operate: (question) => operate(operators, witness, question),
    async close() {
      witness.close();
      await refresher.close();
      await Promise.all([...providers.values()].map(({ provider }) => provider.close()));
    },
  };
}

async function orUnavailable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause;
    throw new AuthorityError('the session store does not answer', { cause });
  }
}

async function open(desk: Desk, host: string, credential: Credential): Promise<Opening> {
  if (credential.kind === 'Bearer') return judgeBearer(desk, credential);
  const { ring, settings } = desk;
  const ticket = decodeTicket(ring, credential.value, host, isAuthenticationHost(settings, host));
  const current = ticket && (await currentSession(desk, ticket));
  return current && { session: current.session, renewAt: current.renewAt };
}

async function assertion(desk: Desk, host: string, credential: Credential, subject: AssertionSubject) {
  const { settings, ring, now } = desk;
  const opened = await open(desk, host, credential);
  if (opened === undefined || isRefused(opened)) return undefined;
  const issuer = settings.assertionIssuer ?? `https://${settings.authenticationHost ?? host}`;
  return signAssertion(ring, opened.session, { ...subject, issuer, host, now });
}

interface LogoutChannels {
  readonly back: (desk: Desk, request: OwnRequest) => Promise<Answer>;
  readonly front: (desk: Desk, request: OwnRequest) => Promise<Answer>;
}

async function respond(desk: Desk, request: OwnRequest, channels: LogoutChannels): Promise<Answer> {
  const { settings, ring } = desk;
  const onAuthenticationHost = isAuthenticationHost(settings, request.host);
  if (request.path === `${ownPrefix}sign-out`) return signOut(desk, request);
  if (request.path === ownSessionsPath) return endOwnSessions(desk, request);
  if (request.path === logoutChannelPath(settings, 'backchannel')) return channels.back(desk, request);
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return page({ kind: 'MethodNotAllowed', allow: ['GET', 'HEAD'] });
  switch (request.path) {
    case jwksPath:
      return { kind: 'Json', status: 200, body: jwks(ring), maxAgeSeconds: 300, cookies: [] };
    case ownPrefix:
      return whoAmI(desk, request);
    case `${ownPrefix}user`:
      return user(desk, request);
    case `${ownPrefix}sign-in`:
      return signIn(desk, request, onAuthenticationHost);
    case choicePath:
      if (settings.authenticationHost !== undefined && !onAuthenticationHost) break;
      return chosenProvider(desk, request);
    case `${ownPrefix}signed-out`:
      return signedOut(desk, request);
    case `${ownPrefix}callback`:
      if (onAuthenticationHost) break;
      return settings.authenticationHost === undefined ? providerCallback(desk, request) : codeCallback(desk, request);
    case '/oauth2/callback':
      if (!onAuthenticationHost) break;
      return providerCallback(desk, request);
    case logoutChannelPath(settings, 'frontchannel'):
      return channels.front(desk, request);
    case '/':
      if (!onAuthenticationHost) break;
      return { kind: 'Redirect', status: 302, location: ownPrefix, cookies: [] };
  }
  return page({ kind: 'NoSuchPath' });
}

/** `?request=…` from an application's host, or `?return=/path`, and `&account=other` from somebody who was refused. */
function signIn(desk: Desk, request: OwnRequest, onAuthenticationHost: boolean): Promise<Answer> {
  const parameters = new URLSearchParams(request.query);
  if (onAuthenticationHost && parameters.has('request')) return requestedSignIn(desk, request);
  return startSignIn(desk, request, safeReturn(parameters.get('return')), parameters.get('account') === 'other');
}

async function whoAmI(desk: Desk, request: OwnRequest): Promise<Answer> {
  const held = await heldSession(desk, request);
  if (held === undefined) return startSignIn(desk, request, ownPrefix);
  const sessions = await ownSessions(desk, held);
  return page({
    kind: 'WhoAmI',
    identity: shown(held),
    signOut: `${ownPrefix}sign-out`,
    ...(sessions && { sessions, endSessions: ownSessionsPath }),
  });
}

async function user(desk: Desk, request: OwnRequest): Promise<Answer> {
  const held = await heldSession(desk, request);
  if (held === undefined)
    return { kind: 'Json', status: 401, body: { title: 'Nobody is signed in here.', status: 401 }, cookies: [] };
  return { kind: 'Json', status: 200, body: shown(held), cookies: [] };
}

function shown({ session }: CurrentSession) {
  const { user: name, email, name: fullName, groups, groupsUnknown } = session.identity;
  return {
    user: name,
    ...(email !== undefined && { email }),
    ...(fullName !== undefined && { name: fullName }),
    groups,
    ...(groupsUnknown === true && { groupsUnknown }),
    provider: session.provider,
    signedInAt: session.authenticatedAt,
    expiresAt: session.expiresAt,
  };
}

async function answerOrUnavailable(log: Logger, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    log.error({ err: error }, 'the session store failed');
    return page({ kind: 'StoreUnavailable', retryAfterSeconds });
  }
}
