// The auth role: the authority, answering the questions that proxies ask, with the settings that control sends.
import { AuthorityError } from '../auth/authority.ts';
import type { Authority } from '../auth/authority.ts';
import { createLocalAuthority } from '../auth/local.ts';
import { defaultClassSettings } from '../model/settings.ts';
import type { Store } from '../sessions/store.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import type { AuthorityQuestion, AuthorityReply, Link, SettingsMessage } from './messages.ts';

export interface AuthRoleOptions {
  readonly store: Store;
  readonly fromControl: Link<never, SettingsMessage>;
  readonly toProxy: Link<AuthorityReply, AuthorityQuestion>;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface AuthRole {
  close(): Promise<void>;
}

export function startAuthRole({ store, fromControl, toProxy, log, metrics }: AuthRoleOptions): AuthRole {
  const authority = createLocalAuthority({
    store,
    settings: { class: defaultClassSettings, providers: [] },
    log,
    metrics,
  });
  fromControl.onMessage(({ settings }) => authority.update(settings));
  authority.onEnded((sessions) => toProxy.send({ type: 'ended', sessions }));
  toProxy.onMessage((question) => void answer(authority, question, log).then(toProxy.send));
  return {
    async close() {
      toProxy.close();
      await authority.close();
      await store.close();
    },
  };
}

async function answer(authority: Authority, question: AuthorityQuestion, log: Logger): Promise<AuthorityReply> {
  const { ask } = question;
  try {
    switch (question.type) {
      case 'open':
        return { type: 'opened', ask, opened: await authority.open(question.host, question.cookie) };
      case 'assert': {
        const { host, cookie, subject } = question;
        return { type: 'asserted', ask, assertion: await authority.assert(host, cookie, subject) };
      }
      case 'sign-in':
        return { type: 'answered', ask, answer: await authority.signIn(question.request) };
      case 'respond':
        return { type: 'answered', ask, answer: await authority.respond(question.request) };
    }
  } catch (error) {
    if (error instanceof AuthorityError) return { type: 'failed', ask, code: error.code, message: error.message };
    log.error({ err: error }, 'auth failed to answer');
    return { type: 'failed', ask, code: 'internal', message: 'auth failed to answer' };
  }
}
