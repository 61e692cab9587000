// A new key in three steps, with waits between them in which every application and every session catches up.
import { createKeyRing } from './keys.ts';
import type { KeyRing } from '../model/settings.ts';

export const rotationSteps = ['add', 'promote', 'retire'] as const;
export type RotationStep = (typeof rotationSteps)[number];

/** How long an application may keep a key set, and how long an assertion lives: both five minutes. */
export const keySetMs = 300_000;

export interface Rotation {
  readonly now: number;
  /** How long a session lives: what the old key sealed is needed for so long. */
  readonly sessionMs: number;
  /** Does not wait: a key has leaked, and whoever holds it must not wait either. */
  readonly atOnce?: boolean;
}

export type Rotated = { readonly ring: KeyRing; readonly said: string } | { readonly refused: string; until?: number };

/** The ring after one step; refused where it is not that step's turn, or (with `until`) not yet. */
export function rotate(ring: KeyRing, step: RotationStep, { now, sessionMs, atOnce = false }: Rotation): Rotated {
  const [first, ...rest] = ring;
  const next = rest.find(({ since }) => since !== undefined && since > (first.since ?? 0));
  switch (step) {
    case 'add': {
      if (next !== undefined) return { refused: `key ${next.id} was added and is not first yet: promote is next` };
      const [made] = createKeyRing();
      return {
        ring: [...ring, { ...made, since: now }],
        said: `added key ${made.id}: it verifies, and does not sign yet`,
      };
    }
    case 'promote': {
      if (next?.since === undefined) return { refused: 'no key waits to be first: add is the step before' };
      const others = ring.filter((key) => key !== next);
      const until = next.since + keySetMs;
      if (until > now && !atOnce) return { refused: `an application may not know key ${next.id} yet`, until };
      return { ring: [{ ...next, since: now }, ...others], said: `key ${next.id} signs and seals from now on` };
    }
    case 'retire': {
      if (next !== undefined) return { refused: `key ${next.id} was added and is not first yet: promote is next` };
      if (rest.length === 0) return { refused: 'there is one key only, and it is in use' };
      const until = (first.since ?? now) + Math.max(sessionMs, keySetMs);
      if (until > now && !atOnce) return { refused: 'sessions may still need the older keys', until };
      return { ring: [first], said: `took away ${rest.map(({ id }) => id).join(', ')}` };
    }
  }
}
