// The way from operators, whom `control` hears on its admin port, to `auth`; proxies have no end of it.
import type { Operated } from '../auth/revocation/operations.ts';
import type { Logger } from '../telemetry.ts';
import type { Link, OperatorsQuestion, OperatorsReply } from './messages.ts';
import { createQuestions } from './questions.ts';

// Five hundred sessions are ended in one, each by a call or two to the store.
const deadlineMs = 25_000;
const maxOutstanding = 100;

export function askOperators(link: Link<OperatorsQuestion, OperatorsReply>): (question: unknown) => Promise<Operated> {
  const questions = createQuestions<OperatorsQuestion, OperatorsReply>(link.send, {
    deadlineMs,
    max: maxOutstanding,
    unavailable: (message) => new Error(message),
    whom: 'auth',
  });
  link.onMessage(questions.answered);
  return async (question) => {
    try {
      return (await questions.ask({ question })).operated;
    } catch (error) {
      return { failed: 'Unavailable', message: error instanceof Error ? error.message : String(error) };
    }
  };
}

export function answerOperators(
  link: Link<OperatorsReply, OperatorsQuestion>,
  operate: (question: unknown) => Promise<Operated>,
  log: Logger,
): void {
  link.onMessage(({ ask, question }) => {
    void operate(question)
      .catch((error: unknown): Operated => {
        log.error({ err: error }, 'auth failed to answer an operator');
        return { failed: 'Unavailable', message: 'auth failed to answer: its log says why' };
      })
      .then((operated) => link.send({ ask, operated }));
  });
}
