// The control role's side of sessions in Secrets: it alone may speak with the API server, and keeps the store for `auth`.
import type { SecretStoreSettings, StoreSettings } from '../model/settings.ts';
import type { Store } from '../sessions/store.ts';
import type { Logger } from '../telemetry.ts';
import { isSameStore } from './current-store.ts';
import type { Link, StoreQuestion, StoreReply } from './messages.ts';
import { answerForStore } from './remote-store.ts';

export interface Keeper {
  /** Opens the store that settings name, where it is one of Secrets. Absent: what is open stays. */
  use(settings: StoreSettings | undefined): void;
  close(): Promise<void>;
}

export interface KeeperOptions {
  readonly toAuth: Link<StoreReply, StoreQuestion>;
  readonly open: (settings: SecretStoreSettings) => Store;
  readonly log: Logger;
}

export function createKeeper({ toAuth, open, log }: KeeperOptions): Keeper {
  let current: { readonly store: Store; readonly settings: StoreSettings } | undefined;

  async function close(): Promise<void> {
    const before = current;
    current = undefined;
    await before?.store.close();
  }

  answerForStore(toAuth, () => current?.store, log);
  return {
    use(settings) {
      if (settings === undefined || isSameStore(settings, current?.settings)) return;
      close().catch((error: unknown) => log.warn({ err: error }, 'the session store did not close'));
      if (settings.type !== 'Secret') return;
      const store = open(settings);
      store.watch((news) => toAuth.send({ type: 'news', news }));
      current = { store, settings };
    },
    close,
  };
}
