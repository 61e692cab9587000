// The headers that a route sets, adds and removes, ready to use: in the place of what was sent under any spelling of their names.
import { foldName } from '../model/header-names.ts';
import type { HeaderChanges, HeaderLine } from '../model/route.ts';

export interface ReadyChanges {
  /** Folded names: what was sent under these does not pass. */
  readonly dropped: ReadonlySet<string>;
  /** Folded name, and the two that are sent. */
  readonly lines: readonly (readonly [folded: string, name: string, value: string])[];
}

const known = new WeakMap<HeaderChanges, ReadyChanges>();

export function readyChanges(changes: HeaderChanges): ReadyChanges {
  const before = known.get(changes);
  if (before !== undefined) return before;
  const { set, add, remove } = changes;
  const ready: ReadyChanges = {
    dropped: new Set([...remove, ...set.map(([name]) => name)].map(foldName)),
    lines: [...set, ...add].map(([name, value]: HeaderLine) => [
      foldName(name),
      name,
      typeof value === 'string' ? value : value.reveal(),
    ]),
  };
  known.set(changes, ready);
  return ready;
}
