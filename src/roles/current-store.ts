// The store that the settings name: opened when they first do, and another one where they change.
import type { StoreSettings } from '../model/settings.ts';
import { StoreError } from '../sessions/store.ts';
import type { RecordChange, Store } from '../sessions/store.ts';
import type { Logger } from '../telemetry.ts';

export interface CurrentStore {
  /** Whichever is open; `unavailable` where none is yet. */
  readonly store: Store;
  /** Absent: what is open stays. */
  use(settings: StoreSettings | undefined): void;
}

export function createCurrentStore(open: (settings: StoreSettings) => Store, log: Logger): CurrentStore {
  const listeners = new Set<(news: RecordChange) => void>();
  let current: { readonly store: Store; readonly settings: StoreSettings; readonly stop: () => void } | undefined;

  const tell = (news: RecordChange) => {
    for (const listener of listeners) listener(news);
  };
  const opened = async (): Promise<Store> => {
    if (current === undefined) throw new StoreError('unavailable', 'no settings have named a session store yet');
    return current.store;
  };

  return {
    store: {
      create: async (record) => (await opened()).create(record),
      read: async (type, id) => (await opened()).read(type, id),
      replace: async (record, revision) => (await opened()).replace(record, revision),
      take: async (type, id) => (await opened()).take(type, id),
      remove: async (type, id) => (await opened()).remove(type, id),
      find: async (type, name, value) => (await opened()).find(type, name, value),
      page: async (type, cursor) => (await opened()).page(type, cursor),
      watch(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      async close() {
        listeners.clear();
        current?.stop();
        await current?.store.close();
      },
    },
    use(settings) {
      if (settings === undefined || isSameStore(settings, current?.settings)) return;
      const before = current;
      const store = open(settings);
      current = { store, settings, stop: store.watch(tell) };
      if (before === undefined) return;
      before.stop();
      before.store.close().catch((error: unknown) => log.warn({ err: error }, 'the session store did not close'));
      log.warn(
        { store: settings.type, before: before.settings.type },
        'the session store has changed: sessions that it does not hold have ended',
      );
      tell({ change: 'unknown' });
    },
  };
}

export function isSameStore(one: StoreSettings, other: StoreSettings | undefined): boolean {
  return other !== undefined && fingerprint(one) === fingerprint(other);
}

// What is redacted prints alike, whatever it is.
function fingerprint(settings: StoreSettings): string {
  if (settings.type !== 'Redis') return JSON.stringify(settings);
  const { username, password } = settings;
  return JSON.stringify({ ...settings, username: username?.reveal(), password: password?.reveal() });
}
