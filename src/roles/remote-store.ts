// The way from `auth` to the store that `control` keeps for it: a Store at one end of a line, and who answers at the other.
import { StoreError } from '../sessions/store.ts';
import type { RecordChange, Store } from '../sessions/store.ts';
import type { Logger } from '../telemetry.ts';
import type { Link, StoreQuestion, StoreReply } from './messages.ts';
import { createQuestions } from './questions.ts';
import type { WithoutAsk } from './questions.ts';

// The store at the other end has deadlines of its own: this one is for an end that has fallen silent.
const deadlineMs = 12_000;
const maxOutstanding = 1_000;

type StoreAnswer = Exclude<StoreReply, { type: 'news' }>;

/** The line stays open when the store is closed: it belongs to the two roles. */
export function askStore(link: Link<StoreQuestion, StoreReply>): Store {
  const listeners = new Set<(news: RecordChange) => void>();
  const questions = createQuestions<StoreQuestion, StoreAnswer>(link.send, {
    deadlineMs,
    max: maxOutstanding,
    unavailable: (message) => new StoreError('unavailable', message),
    whom: 'control',
  });
  let closed = false;
  link.onMessage((reply) => {
    if (closed) return;
    if (reply.type !== 'news') questions.answered(reply);
    else for (const listener of listeners) listener(reply.news);
  });

  async function ask<T extends StoreAnswer['type']>(question: WithoutAsk<StoreQuestion>, wanted: T) {
    if (closed) throw new StoreError('unavailable', 'the store is closed');
    const reply = await questions.ask(question);
    if (isOf(reply, wanted)) return reply;
    if (reply.type === 'failed') throw new StoreError(reply.code, reply.message);
    throw new Error(`control answered ${reply.type} to another question`);
  }

  return {
    create: async (record) => (await ask({ type: 'create', record }, 'done')).done,
    read: async (of, id) => (await ask({ type: 'read', of, id }, 'read')).found,
    replace: async (record, revision) => (await ask({ type: 'replace', record, revision }, 'done')).done,
    take: async (of, id) => (await ask({ type: 'take', of, id }, 'taken')).record,
    remove: async (of, id) => (await ask({ type: 'remove', of, id }, 'done')).done,
    find: async (of, name, value) => (await ask({ type: 'find', of, name, value }, 'found')).records,
    async page(of, cursor) {
      const question = { type: 'page', of, ...(cursor !== undefined && { cursor }) } as const;
      return (await ask(question, 'page')).page;
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      listeners.clear();
      questions.abandon(new StoreError('unavailable', 'the store is closed'));
    },
  };
}

function isOf<T extends StoreAnswer['type']>(
  reply: StoreAnswer,
  wanted: T,
): reply is Extract<StoreAnswer, { readonly type: T }> {
  return reply.type === wanted;
}

/** Answers what is asked across the line, and tells what changes. `store` is asked for each time: it may be another one by then. */
export function answerForStore(
  link: Link<StoreReply, StoreQuestion>,
  store: () => Store | undefined,
  log: Logger,
): void {
  link.onMessage((question) => void answer(store(), question, log).then(link.send));
}

async function answer(store: Store | undefined, question: StoreQuestion, log: Logger): Promise<StoreReply> {
  const { ask } = question;
  try {
    if (store === undefined) throw new StoreError('unavailable', 'control keeps no store');
    switch (question.type) {
      case 'create':
        return { type: 'done', ask, done: await store.create(question.record) };
      case 'read':
        return { type: 'read', ask, found: await store.read(question.of, question.id) };
      case 'replace':
        return { type: 'done', ask, done: await store.replace(question.record, question.revision) };
      case 'take':
        return { type: 'taken', ask, record: await store.take(question.of, question.id) };
      case 'remove':
        return { type: 'done', ask, done: await store.remove(question.of, question.id) };
      case 'find':
        return { type: 'found', ask, records: await store.find(question.of, question.name, question.value) };
      case 'page':
        return { type: 'page', ask, page: await store.page(question.of, question.cursor) };
    }
  } catch (error) {
    if (error instanceof StoreError) return { type: 'failed', ask, code: error.code, message: error.message };
    log.error({ err: error }, 'the session store failed to answer');
    return { type: 'failed', ask, code: 'unavailable', message: 'the session store failed to answer' };
  }
}
