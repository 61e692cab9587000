// The ids of all records of a type, some at a time: by SCAN, of one master after the other.
import type { RecordType } from '../store.ts';
import type { Masters } from './connection.ts';
import { recordKey } from './value.ts';

/** SCAN may answer with a few more than it is asked for; a page holds 500 at the most. */
const countAtOnce = 240;
/** Most keys may be others': so many calls are made for one page. */
const maxCalls = 20;

export interface IdPage {
  readonly ids: readonly string[];
  readonly next?: string;
}

/**
 * A key that is there all the while is told at least once, and perhaps twice. A cursor means nothing to another server, not
 * even to the same one after a restart: where a master may have changed, all begins anew.
 */
export async function scanIds({ life, all }: Masters, type: RecordType, cursor?: string): Promise<IdPage> {
  const [ofLife, number = '0', from = '0'] = (cursor ?? '').split(' ');
  let place = ofLife === life ? { index: Number(number), at: from } : { index: 0, at: '0' };
  const prefix = recordKey(type, '');
  const ids = new Set<string>();
  for (let calls = 0; calls < maxCalls && ids.size < countAtOnce; calls += 1) {
    const scan = all[place.index];
    if (scan === undefined) return { ids: [...ids] };
    const [at, keys] = answerOf(await scan(['SCAN', place.at, 'MATCH', `${prefix}*`, 'COUNT', String(countAtOnce)]));
    for (const key of keys) ids.add(key.slice(prefix.length));
    place = at === '0' ? { index: place.index + 1, at } : { ...place, at };
  }
  return { ids: [...ids], ...(place.index < all.length && { next: `${life} ${place.index} ${place.at}` }) };
}

function answerOf(answer: unknown): readonly [string, readonly string[]] {
  const [at, keys]: readonly unknown[] = Array.isArray(answer) ? answer : [];
  if (!Array.isArray(keys)) throw new Error('Redis answered SCAN with something else');
  return [String(at), keys.map(String)];
}
