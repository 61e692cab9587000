// What the demo's provider remembers (sessions, grants, codes, tokens), in memory and bounded.
import { LRUCache } from 'lru-cache';
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

const maxRecords = 10_000;

// What ends with its grant. An interaction names a grant too, and must outlive it while a person changes accounts.
const grantedModels = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);

/**
 * A place for oidc-provider to keep things. Its own one would do as well, but greets every start with a warning, and
 * shares one store among all the providers of a process.
 */
export function createMemory(): AdapterFactory {
  const records = new LRUCache<string, AdapterPayload>({ max: maxRecords });
  return (model) => adapterOf(records, model);
}

function adapterOf(records: LRUCache<string, AdapterPayload>, model: string): Adapter {
  const prefix = `${model}:`;
  const findBy = (field: 'uid' | 'userCode', value: string) =>
    records.entries().find(([key, payload]) => key.startsWith(prefix) && payload[field] === value)?.[1];
  return {
    async upsert(id, payload, expiresInSeconds) {
      records.set(prefix + id, payload, expiresInSeconds === undefined ? {} : { ttl: expiresInSeconds * 1000 });
    },
    async find(id) {
      return records.get(prefix + id);
    },
    async findByUid(uid) {
      return findBy('uid', uid);
    },
    async findByUserCode(userCode) {
      return findBy('userCode', userCode);
    },
    async consume(id) {
      const payload = records.get(prefix + id);
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
    },
    async destroy(id) {
      records.delete(prefix + id);
    },
    async revokeByGrantId(grantId) {
      for (const [key, payload] of records.entries()) {
        if (payload.grantId === grantId && grantedModels.has(key.split(':', 1)[0] ?? '')) records.delete(key);
      }
    },
  };
}
