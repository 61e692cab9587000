// Whether newcomers can be admitted: a store that took no session a moment ago is not asked again for each of them.
import { StoreError } from '../../sessions/store.ts';

export interface Admission {
  /**
   * To be asked before anybody is sent to a provider, to type a password in vain (promise 11).
   * @throws {StoreError} what the store said a moment ago.
   */
  check(): void;
  /** Notes how it went. @throws whatever the work throws. */
  note<T>(creating: Promise<T>): Promise<T>;
}

/** Then one newcomer tries again. */
const closedMs = 5_000;

/** @param now Milliseconds since the epoch. */
export function createAdmission(now: () => number): Admission {
  let refused: { readonly error: StoreError; readonly at: number } | undefined;
  return {
    check() {
      if (refused !== undefined && now() - refused.at < closedMs) throw refused.error;
    },
    async note(creating) {
      try {
        const made = await creating;
        refused = undefined;
        return made;
      } catch (error) {
        if (error instanceof StoreError) refused = { error, at: now() };
        throw error;
      }
    },
  };
}
