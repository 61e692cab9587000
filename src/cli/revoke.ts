// Ends sessions at a running instance, part by part, and has the replicas confirm it.
import type { OperatorsQuestion } from '../auth/revocation/operations.ts';
import type { Confirmation, Ended } from '../auth/revocation/revocation.ts';
import { askAdmin } from './admin.ts';
import type { AdminTarget } from './admin.ts';

export interface Revocation {
  readonly target: AdminTarget;
  readonly ids: readonly string[];
  /** Who ends them: for the log, and believed. */
  readonly by: string;
  /** So many must confirm; absent: whoever does. */
  readonly replicas?: number;
  /** Hears how far it is. */
  readonly note: (text: string) => void;
}

export interface Outcome {
  readonly found: number;
  readonly ended: number;
  /** Had ended by themselves, or by somebody else. */
  readonly absent: number;
  /** Ids of those that go on. */
  readonly failed: readonly string[];
  /** Why, where some do. */
  readonly reason?: string;
  readonly tookMs: number;
  /** By the replicas that have none of them any more; each after so long since they were told. */
  readonly confirmed: readonly Confirmation[];
  /** Why nobody was told. */
  readonly untold?: string;
}

/** A slow store must not make one question take longer than is waited for its answer. */
const atOnce = 100;
const notedEvery = 1_000;
/** As many as one notice may tell of. */
const toldAtOnce = 5_000;

/** Never throws for what the instance does: what ended is told beside what did not. */
export async function revoke(revocation: Revocation): Promise<Outcome> {
  const { ids, note } = revocation;
  const startedAt = performance.now();
  const failed = new Set<string>();
  let [ended, absent] = [0, 0];
  let reason: string | undefined;
  for (let start = 0; start < ids.length; start += atOnce) {
    const some = ids.slice(start, start + atOnce);
    const answer = await endSome(revocation, some);
    ended += answer.ended;
    absent += answer.absent;
    for (const id of answer.failed) failed.add(id);
    reason = answer.reason ?? reason;
    const done = start + some.length;
    if (ids.length > notedEvery && (done % notedEvery === 0 || done === ids.length)) note(`${done} of ${ids.length}`);
    // Nothing of it worked: nor will what is left.
    if (answer.failed.length === some.length) {
      for (const id of ids.slice(start + atOnce)) failed.add(id);
      break;
    }
  }
  const tookMs = Math.round(performance.now() - startedAt);
  const told = await announce(
    revocation,
    ids.filter((id) => !failed.has(id)),
  );
  return {
    found: ids.length,
    ended,
    absent,
    failed: [...failed],
    ...(reason !== undefined && { reason }),
    tookMs,
    ...told,
  };
}

/** What cannot be asked has ended nothing, as far as anybody knows: to be told beside what did. */
async function endSome({ target, by }: Revocation, ids: readonly string[]): Promise<Ended> {
  try {
    return await ask<Ended>(target, { end: [...ids], by });
  } catch (error) {
    return { ended: 0, absent: 0, failed: ids, reason: messageOf(error) };
  }
}

async function announce(
  { target, by, replicas }: Revocation,
  ids: readonly string[],
): Promise<Pick<Outcome, 'confirmed' | 'untold'>> {
  const answers: (readonly Confirmation[])[] = [];
  try {
    for (let start = 0; start < ids.length; start += toldAtOnce) {
      const question = {
        announce: ids.slice(start, start + toldAtOnce),
        by,
        ...(replicas !== undefined && { replicas }),
      };
      answers.push((await ask<{ confirmed: readonly Confirmation[] }>(target, question)).confirmed);
    }
  } catch (error) {
    return { confirmed: [], untold: messageOf(error) };
  }
  return { confirmed: confirmedAll(answers) };
}

/** Those that have confirmed each part, after as long as it took them for the slowest. */
function confirmedAll([first = [], ...others]: readonly (readonly Confirmation[])[]): readonly Confirmation[] {
  return others.reduce(
    (all, some) =>
      all.flatMap(({ replica, afterMs }) => {
        const again = some.find((one) => one.replica === replica);
        return again === undefined ? [] : [{ replica, afterMs: Math.max(afterMs, again.afterMs) }];
      }),
    first,
  );
}

function ask<T>(target: AdminTarget, question: OperatorsQuestion): Promise<T> {
  return askAdmin<T>(target, '/sessions', question);
}

export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
