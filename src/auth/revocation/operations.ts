// What operators ask of `auth`: which sessions there are, and that some end. It comes over a line that no proxy has.
import { z } from 'zod';
import { maxSessionsTold } from './notice.ts';
import { announce, endSessions } from './revocation.ts';
import type { Confirmation, Ended } from './revocation.ts';
import { listSessions } from './roster.ts';
import type { Roster } from './roster.ts';
import type { Witness, WitnessOptions } from './witness.ts';
import { StoreError } from '../../sessions/store.ts';

const text = z.string().min(1).max(1_024);
const sessionId = z.string().regex(/^[\w-]{1,64}$/);
/** Fewer letters of an id than logs print say too little. */
const idPrefix = z.string().regex(/^[\w-]{8,64}$/);

const whichSchema = z.union([
  z.strictObject({ person: text }),
  z.strictObject({ id: idPrefix }),
  z.strictObject({ provider: text }),
  z.strictObject({ all: z.literal(true) }),
]);

const questionSchema = z.union([
  z.strictObject({ list: whichSchema, cursor: z.string().max(8_192).optional() }),
  z.strictObject({ end: z.array(sessionId).max(500), by: text }),
  z.strictObject({
    announce: z.array(sessionId).max(maxSessionsTold),
    by: text,
    replicas: z.number().int().min(1).max(1_000).optional(),
  }),
]);

/** How what is asked looks; each has an answer of its own. */
export type OperatorsQuestion = z.input<typeof questionSchema>;
export type OperatorsAnswer = Roster | Ended | { readonly confirmed: readonly Confirmation[] };

export type Operated =
  | { readonly ok: OperatorsAnswer }
  | { readonly failed: 'NotUnderstood' | 'Unavailable'; readonly message: string };

const understood =
  'a question about sessions is {"list": WHICH, "cursor"?}, {"end": [ID, …], "by"} or {"announce": [ID, …], "by", "replicas"?}, ' +
  'where WHICH is {"person"}, {"id"} (eight letters or more), {"provider"} or {"all": true}';

/** Takes whatever JSON somebody sent. */
export async function operate(options: WitnessOptions, witness: Witness, question: unknown): Promise<Operated> {
  const asked = questionSchema.safeParse(question).data;
  if (asked === undefined) return { failed: 'NotUnderstood', message: understood };
  try {
    return { ok: await answer(options, witness, asked) };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return { failed: 'Unavailable', message: `the session store does not answer: ${error.message}` };
  }
}

async function answer(
  options: WitnessOptions,
  witness: Witness,
  asked: z.output<typeof questionSchema>,
): Promise<OperatorsAnswer> {
  const { store, ring, log } = options;
  if ('list' in asked) return listSessions(store, ring(), asked.list, asked.cursor);
  if ('end' in asked) {
    const ended = await endSessions(store, asked.end);
    const sessions = asked.end.map((id) => id.slice(0, 8)).slice(0, 20);
    log.info(
      { by: asked.by, sessions, ended: ended.ended, failed: ended.failed.length },
      'sessions ended by an operator',
    );
    return ended;
  }
  const { announce: sessions, by, replicas } = asked;
  const confirmed = await announce(options, witness, { sessions, by, ...(replicas !== undefined && { replicas }) });
  return { confirmed };
}
