// Where records live: the contract that every store keeps (test/sessions.contract.ts holds each to it).

/**
 * What a record is for. `session`: somebody signed in. `code`: the one-time way of a session from the authentication host
 * to an application's host. `notice`: what replicas have to tell each other, for a minute.
 */
export type RecordType = 'session' | 'code' | 'notice';

/**
 * A record as a store sees it: nothing in it opens anything. `listing` is sealed by the key ring; `body` by the key ring
 * and a secret that only the browser holds (promise 6).
 */
export interface StoredRecord {
  readonly type: RecordType;
  /** 16 random bytes, base64url. */
  readonly id: string;
  /** HMACs by which the record can be found: of the person, the provider, the subject, the provider's session id. */
  readonly index: Readonly<Record<string, string>>;
  readonly listing: string;
  readonly body: string;
  /** Milliseconds since the epoch; from then on the record is gone. */
  readonly expiresAt: number;
}

/** A record with the revision that `replace` wants back. */
export interface Revised {
  readonly record: StoredRecord;
  readonly revision: string;
}

/** Some records of a type; `next`, where there is one, asks for those that follow. It may hold none, and not be the last. */
export interface RecordPage {
  readonly records: readonly StoredRecord[];
  readonly next?: string;
}

/** Records on a page, at the most. */
export const maxPage = 500;

/**
 * `unknown`: news may have been lost, so whatever is remembered of any record is to be asked for again. It is told again
 * and again, after a few seconds at the latest, for as long as the store cannot hear.
 */
export type RecordChange =
  | { readonly type: RecordType; readonly id: string; readonly change: 'created' | 'replaced' | 'removed' }
  | { readonly change: 'unknown' };

/** Every method throws {@link StoreError} when the store cannot answer. Expired records are never returned. */
export interface Store {
  /** Adds a record. `false`: its id is taken, and nothing was written. */
  create(record: StoredRecord): Promise<boolean>;
  read(type: RecordType, id: string): Promise<Revised | undefined>;
  /** Writes over the revision given. `false`: it has changed or gone meanwhile, and nothing was written. */
  replace(record: StoredRecord, revision: string): Promise<boolean>;
  /** Removes a record and returns it, to exactly one of those who ask. */
  take(type: RecordType, id: string): Promise<StoredRecord | undefined>;
  /** `false`: there was none. */
  remove(type: RecordType, id: string): Promise<boolean>;
  /** All records of a type whose index holds this value under this name. */
  find(type: RecordType, name: string, value: string): Promise<readonly StoredRecord[]>;
  /**
   * All records of a type, page by page: each that is there from the first page to the last comes at least once.
   * @param cursor `next` of the page before, from this very store.
   */
  page(type: RecordType, cursor?: string): Promise<RecordPage>;
  /** Calls back after each change, whoever made it; `removed` also when a record expires. Returns how to stop. */
  watch(listener: (change: RecordChange) => void): () => void;
  /** From then on every method throws `unavailable`, and no listener is called. May be called again. */
  close(): Promise<void>;
}

/**
 * `unavailable`: no answer, try later. `full`: the cap on records is reached. `busy`: more is asked for than anybody who is
 * signed in would, and the store itself is well.
 */
export type StoreErrorCode = 'unavailable' | 'full' | 'busy';

export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}
