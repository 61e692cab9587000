// What the three roles say to each other: all of it, as plain data, so that it crosses a socket as well as a function call.
import type { Answer, AssertionSubject, Credential, Opening, OwnRequest } from '../auth/authority.ts';
import type { Operated } from '../auth/revocation/operations.ts';
import type { TableUpdate } from '../model/route.ts';
import type { AuthoritySettings } from '../model/settings.ts';
import type { ClusterIssuer, TokenReviewed } from '../model/workload.ts';
import type { RecordChange, RecordPage, RecordType, Revised, StoreError, StoredRecord } from '../sessions/store.ts';

/** control → proxy. The first holds every host; those after it, what changed. */
export interface TableMessage {
  readonly type: 'table';
  readonly update: TableUpdate;
}

/** control → auth. */
export interface SettingsMessage {
  readonly type: 'settings';
  readonly settings: AuthoritySettings;
}

/**
 * proxy → auth. Each is answered once, by an {@link AuthorityReply} with the same `ask`; but `settled` is itself an answer,
 * to `settle`.
 */
export type AuthorityQuestion = { readonly ask: number } & (
  | { readonly type: 'open'; readonly host: string; readonly credential: Credential }
  | {
      readonly type: 'assert';
      readonly host: string;
      readonly credential: Credential;
      readonly subject: AssertionSubject;
    }
  | { readonly type: 'sign-in'; readonly request: OwnRequest }
  | { readonly type: 'respond'; readonly request: OwnRequest }
  | { readonly type: 'settled' }
);

/**
 * auth → proxy: an answer, the news that sessions have ended, or that such news may have been lost. `settle` is answered
 * once all that came before it is done: the streams of ended sessions are closed.
 */
export type AuthorityReply =
  | { readonly type: 'opened'; readonly ask: number; readonly opened: Opening }
  | { readonly type: 'asserted'; readonly ask: number; readonly assertion: string | undefined }
  | { readonly type: 'answered'; readonly ask: number; readonly answer: Answer }
  | {
      readonly type: 'failed';
      readonly ask: number;
      readonly code: 'unavailable' | 'internal';
      readonly message: string;
    }
  | { readonly type: 'ended'; readonly sessions: readonly string[] }
  | { readonly type: 'settle'; readonly ask: number }
  | { readonly type: 'doubted' };

/** control → auth, on a line of its own: no proxy may list or end other people's sessions. Whatever JSON an operator sent. */
export interface OperatorsQuestion {
  readonly ask: number;
  readonly question: unknown;
}

/** auth → control. */
export interface OperatorsReply {
  readonly ask: number;
  readonly operated: Operated;
}

/** auth → control, which alone may speak with the API server: what a store is asked. Each is answered once. */
export type StoreQuestion = { readonly ask: number } & (
  | { readonly type: 'create'; readonly record: StoredRecord }
  | { readonly type: 'read' | 'take' | 'remove'; readonly of: RecordType; readonly id: string }
  | { readonly type: 'replace'; readonly record: StoredRecord; readonly revision: string }
  | { readonly type: 'find'; readonly of: RecordType; readonly name: string; readonly value: string }
  | { readonly type: 'page'; readonly of: RecordType; readonly cursor?: string }
);

/** control → auth: an answer, or what changed in the store. */
export type StoreReply =
  | { readonly type: 'done'; readonly ask: number; readonly done: boolean }
  | { readonly type: 'read'; readonly ask: number; readonly found: Revised | undefined }
  | { readonly type: 'taken'; readonly ask: number; readonly record: StoredRecord | undefined }
  | { readonly type: 'found'; readonly ask: number; readonly records: readonly StoredRecord[] }
  | { readonly type: 'page'; readonly ask: number; readonly page: RecordPage }
  | { readonly type: 'failed'; readonly ask: number; readonly code: StoreError['code']; readonly message: string }
  | { readonly type: 'news'; readonly news: RecordChange };

/** auth → control, which alone may speak with the API server: about the tokens of workloads. Each is answered once. */
export type ClusterQuestion = { readonly ask: number } & (
  | { readonly type: 'issuer' }
  | { readonly type: 'review'; readonly token: string; readonly audience: string }
);

/** control → auth. */
export type ClusterReply =
  | { readonly type: 'issuer'; readonly ask: number; readonly issuer: ClusterIssuer }
  | { readonly type: 'reviewed'; readonly ask: number; readonly reviewed: TokenReviewed }
  | { readonly type: 'failed'; readonly ask: number; readonly message: string };

/** One end of a line between two roles. Messages arrive in order, and never during `send`. */
export interface Link<Out, In> {
  send(message: Out): void;
  onMessage(listener: (message: In) => void): void;
  close(): void;
}

/**
 * A line within one process. `copies`: each message is cloned, as a socket would, so that nothing but plain data can pass
 * and no role can reach into another; the lines from control carry frozen objects, and pass them as they are.
 */
export function memoryLink<A, B>(copies: boolean): readonly [Link<A, B>, Link<B, A>] {
  const toB = createQueue<A>(copies);
  const toA = createQueue<B>(copies);
  const close = () => {
    toA.close();
    toB.close();
  };
  return [
    { send: toB.push, onMessage: toA.listen, close },
    { send: toA.push, onMessage: toB.listen, close },
  ];
}

function createQueue<Message>(copies: boolean) {
  let deliver: ((message: Message) => void) | undefined;
  let waiting: Message[] = [];
  let closed = false;
  return {
    push: (message: Message) => {
      const passed = copies ? structuredClone(message) : message;
      queueMicrotask(() => {
        if (closed) return;
        if (deliver === undefined) waiting.push(passed);
        else deliver(passed);
      });
    },
    listen: (listener: (message: Message) => void) => {
      deliver = listener;
      for (const message of waiting) listener(message);
      waiting = [];
    },
    close: () => {
      closed = true;
    },
  };
}
