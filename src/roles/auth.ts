// The auth role: the authority, answering the questions that proxies ask, with the settings that control sends.
import { AuthorityError } from '../auth/authority.ts';
import type { Authority } from '../auth/authority.ts';
import { createLocalAuthority } from '../auth/local.ts';
import { defaultClassSettings } from '../model/settings.ts';
import type { AuthoritySettings, StoreSettings } from '../model/settings.ts';
import { cached } from '../sessions/cache.ts';
import { createMemoryStore } from '../sessions/memory.ts';
import { createRedisStore } from '../sessions/redis.ts';
import { StoreError } from '../sessions/store.ts';
import type { Store } from '../sessions/store.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import { askCluster } from './cluster.ts';
import { createCurrentStore } from './current-store.ts';
import type {
  AuthorityQuestion,
  AuthorityReply,
  ClusterQuestion,
  ClusterReply,
  Link,
  OperatorsQuestion,
  OperatorsReply,
  SettingsMessage,
  StoreQuestion,
  StoreReply,
} from './messages.ts';
import { answerOperators } from './operators.ts';
import { createQuestions } from './questions.ts';
import { askStore } from './remote-store.ts';

export interface AuthRoleOptions {
  readonly fromControl: Link<never, SettingsMessage>;
  /** The way to the store that control keeps in Secrets; absent: there is no API server, and they live in memory. */
  readonly toControl?: Link<StoreQuestion, StoreReply>;
  readonly toProxy: Link<AuthorityReply, AuthorityQuestion>;
  /** The way to what the API server says of workloads' tokens; absent: nobody's count. */
  readonly toCluster?: Link<ClusterQuestion, ClusterReply>;
  /** The way to operators, by control's admin port; absent: nobody asks. */
  readonly toOperators?: Link<OperatorsReply, OperatorsQuestion>;
  /** What this replica is called. */
  readonly replica?: string;
  readonly log: Logger;
  readonly metrics: Metrics;
}

type Settle = Extract<AuthorityReply, { type: 'settle' }>;
type Settled = Extract<AuthorityQuestion, { type: 'settled' }>;

/** A proxy that acts on no end for so long confirms none. */
const settleMs = 2_000;

export interface AuthRole {
  close(): Promise<void>;
}

export function startAuthRole(options: AuthRoleOptions): AuthRole {
  const { fromControl, toProxy, toOperators, replica, log, metrics } = options;
  let settings: AuthoritySettings = { class: defaultClassSettings, providers: [] };
  const graceMs = () => settings.class.outageGraceMs;
  const { store, use } = createCurrentStore(storeOpener(options, graceMs), log);
  const settling = createQuestions<Settle, Settled>(toProxy.send, {
    deadlineMs: settleMs,
    max: 1_000,
    unavailable: (message) => new StoreError('unavailable', message),
    whom: 'the proxy',
  });
  const settled = () => settling.ask({ type: 'settle' });
  const authority = createLocalAuthority({
    store,
    settings,
    log,
    metrics,
    settled,
    ...(options.toCluster && { cluster: askCluster(options.toCluster) }),
    ...(replica !== undefined && { replica }),
  });
  fromControl.onMessage((message) => {
    ({ settings } = message);
    use(settings.store);
    authority.update(settings);
  });
  authority.onEnded((sessions) => toProxy.send({ type: 'ended', sessions }));
  authority.onDoubted(() => toProxy.send({ type: 'doubted' }));
  toProxy.onMessage((question) => {
    if (question.type === 'settled') settling.answered(question);
    else void answer(authority, question, log).then(toProxy.send);
  });
  if (toOperators !== undefined) answerOperators(toOperators, (question) => authority.operate(question), log);
  return {
    async close() {
      toProxy.close();
      await authority.close();
      await store.close();
    },
  };
}

function storeOpener({ toControl, log, metrics }: AuthRoleOptions, graceMs: () => number) {
  // One for as long as the role lives: an answer to a question of the store before is never taken for another's.
  const kept = toControl && askStore(toControl);
  return (settings: StoreSettings): Store => {
    switch (settings.type) {
      case 'Memory':
        return createMemoryStore();
      case 'Secret':
        if (kept !== undefined) return cached({ ...kept, close: async () => {} }, { graceMs, log, metrics });
        log.info('sessions live in memory, and end with this process: a folder has no API server to keep them');
        return createMemoryStore();
      case 'Redis':
        return cached(createRedisStore(settings, { log, metrics }), { graceMs, log, metrics });
    }
  };
}

async function answer(
  authority: Authority,
  question: Exclude<AuthorityQuestion, Settled>,
  log: Logger,
): Promise<AuthorityReply> {
  const { ask } = question;
  try {
    switch (question.type) {
      case 'open':
        return { type: 'opened', ask, opened: await authority.open(question.host, question.credential) };
      case 'assert': {
        const { host, credential, subject } = question;
        return { type: 'asserted', ask, assertion: await authority.assert(host, credential, subject) };
      }
      case 'sign-in':
        return { type: 'answered', ask, answer: await authority.signIn(question.request) };
      case 'respond':
        return { type: 'answered', ask, answer: await authority.respond(question.request) };
      default:
        return { type: 'failed', ask, code: 'internal', message: 'no proxy may ask this' };
    }
  } catch (error) {
    if (error instanceof AuthorityError) return { type: 'failed', ask, code: error.code, message: error.message };
    log.error({ err: error }, 'auth failed to answer');
    return { type: 'failed', ask, code: 'internal', message: 'auth failed to answer' };
  }
}
