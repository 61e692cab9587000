// A store that counts: how long each call takes, and the errors by code.
import type { Metrics } from '../telemetry.ts';
import { StoreError } from './store.ts';
import type { Store } from './store.ts';

type Operation = Exclude<keyof Store, 'watch' | 'close'>;

export function measured(
  store: Store,
  { storeSeconds, storeErrors }: Pick<Metrics, 'storeSeconds' | 'storeErrors'>,
): Store {
  const measure = async <T>(operation: Operation, work: () => Promise<T>): Promise<T> => {
    const stop = storeSeconds.startTimer({ operation });
    try {
      return await work();
    } catch (error) {
      if (error instanceof StoreError) storeErrors.inc({ code: error.code });
      throw error;
    } finally {
      stop();
    }
  };
  return {
    create: (record) => measure('create', () => store.create(record)),
    read: (type, id) => measure('read', () => store.read(type, id)),
    replace: (record, revision) => measure('replace', () => store.replace(record, revision)),
    take: (type, id) => measure('take', () => store.take(type, id)),
    remove: (type, id) => measure('remove', () => store.remove(type, id)),
    find: (type, name, value) => measure('find', () => store.find(type, name, value)),
    page: (type, cursor) => measure('page', () => store.page(type, cursor)),
    watch: (listener) => store.watch(listener),
    close: () => store.close(),
  };
}
