// The proxy role: the data path, fed with tables by control, and asking auth across a line.
import { AuthorityError } from '../auth/authority.ts';
import type { Authority, OwnRequest } from '../auth/authority.ts';
import { createProxy } from '../proxy/server.ts';
import type { Proxy, ProxyOptions } from '../proxy/server.ts';
import type { AuthorityQuestion, AuthorityReply, Link, TableMessage } from './messages.ts';
import { createQuestions } from './questions.ts';

export interface ProxyRoleOptions extends Omit<ProxyOptions, 'authority'> {
  readonly fromControl: Link<never, TableMessage>;
  readonly toAuth: Link<AuthorityQuestion, AuthorityReply>;
  /** Called once, when the first table is there to be served. */
  readonly onFirstTable: () => void;
}

export function createProxyRole({ fromControl, toAuth, onFirstTable, ...options }: ProxyRoleOptions): Proxy {
  const proxy = createProxy({ ...options, authority: askAuthority(toAuth) });
  let isFirst = true;
  fromControl.onMessage(({ update }) => {
    proxy.update(update);
    if (isFirst) onFirstTable();
    isFirst = false;
  });
  return proxy;
}

// A code exchange makes up to four calls to a provider, of five seconds each at the most.
const deadlineMs = 20_000;
const maxOutstanding = 10_000;

type AuthorityAnswer = Exclude<AuthorityReply, { type: 'ended' | 'doubted' | 'settle' }>;

/** The Authority at the other end of a line. Every question has a deadline; past it, or with too many open, it is unavailable. */
export function askAuthority(link: Link<AuthorityQuestion, AuthorityReply>): Authority {
  const listeners = new Set<(sessions: readonly string[]) => void>();
  const doubters = new Set<() => void>();
  const questions = createQuestions<AuthorityQuestion, AuthorityAnswer>(link.send, {
    deadlineMs,
    max: maxOutstanding,
    unavailable: (message) => new AuthorityError(message),
    whom: 'auth',
  });
  const { ask } = questions;

  link.onMessage((reply) => {
    if (reply.type === 'ended') for (const listener of listeners) listener(reply.sessions);
    else if (reply.type === 'doubted') for (const doubter of doubters) doubter();
    else if (reply.type === 'settle') link.send({ type: 'settled', ask: reply.ask });
    else questions.answered(reply);
  });

  const answered = async (type: 'sign-in' | 'respond', request: OwnRequest) => {
    const reply = await ask({ type, request });
    if (reply.type !== 'answered') throw failure(reply);
    return reply.answer;
  };

  return {
    async open(host, credential) {
      const reply = await ask({ type: 'open', host, credential });
      if (reply.type !== 'opened') throw failure(reply);
      return reply.opened;
    },
    async assert(host, credential, subject) {
      const reply = await ask({ type: 'assert', host, credential, subject });
      if (reply.type !== 'asserted') throw failure(reply);
      return reply.assertion;
    },
    signIn: (request) => answered('sign-in', request),
    respond: (request) => answered('respond', request),
    onEnded(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onDoubted(listener) {
      doubters.add(listener);
      return () => doubters.delete(listener);
    },
  };
}

function failure(reply: AuthorityAnswer): Error {
  if (reply.type === 'failed' && reply.code === 'unavailable') return new AuthorityError(reply.message);
  return new Error(reply.type === 'failed' ? reply.message : `auth answered ${reply.type} to another question`);
}
