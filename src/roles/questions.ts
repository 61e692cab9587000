// Questions across a line: each has a number, a deadline, and one answer at the most.
import type { Link } from './messages.ts';

/** Of each kind of question, what is left to say when its number is given. */
export type WithoutAsk<T> = T extends unknown ? Omit<T, 'ask'> : never;

interface Numbered {
  readonly ask: number;
}

export interface Questions<Question, Reply> {
  /** @throws whatever `unavailable` makes, past the deadline or with too many open. */
  ask(question: WithoutAsk<Question>): Promise<Reply>;
  /** Takes an answer in. One that nobody waits for any more is dropped. */
  answered(reply: Reply): void;
  /** Whoever waits still is told this. */
  abandon(error: Error): void;
}

export interface QuestionsOptions {
  readonly deadlineMs: number;
  /** How many may be open at once. */
  readonly max: number;
  readonly unavailable: (message: string) => Error;
  /** Who is asked, for messages. */
  readonly whom: string;
}

interface Pending<Reply> {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export function createQuestions<Question extends Numbered, Reply extends Numbered>(
  send: Link<Question, never>['send'],
  { deadlineMs, max, unavailable, whom }: QuestionsOptions,
): Questions<Question, Reply> {
  const pending = new Map<number, Pending<Reply>>();
  let asked = 0;
  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (pending.size >= max) {
          reject(unavailable(`too many questions to ${whom} are open`));
          return;
        }
        asked += 1;
        const ask = asked;
        const timer = setTimeout(() => {
          pending.delete(ask);
          reject(unavailable(`${whom} did not answer in time`));
        }, deadlineMs);
        pending.set(ask, { resolve, reject, timer });
        // The compiler loses sight of which kind of question it was.
        send({ ...question, ask } as unknown as Question);
      }),
    answered(reply) {
      const waiting = pending.get(reply.ask);
      pending.delete(reply.ask);
      clearTimeout(waiting?.timer);
      waiting?.resolve(reply);
    },
    abandon(error) {
      for (const { reject, timer } of pending.values()) {
        clearTimeout(timer);
        reject(error);
      }
      pending.clear();
    },
  };
}
