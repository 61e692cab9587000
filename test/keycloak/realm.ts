// A realm of Keycloak as realm.json describes it, and what its administrator does there while people work.
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Keycloak } from './keycloak.ts';

/** What Keycloak noted down (its events API), newest first. */
interface RealmEvent {
  readonly type: string;
  readonly clientId?: string;
  readonly error?: string;
}

export interface Realm {
  readonly name: string;
  readonly issuer: string;
  /** Below `/admin/realms/NAME`. */
  admin(method: string, path: string, body?: unknown): Promise<unknown>;
  /** The id of a person, by their short name. */
  userId(username: string): Promise<string>;
  /** Sets attributes of a client. */
  changeClient(clientId: string, attributes: Readonly<Record<string, string>>): Promise<void>;
  leaveGroup(username: string, group: string): Promise<void>;
  /** How many events of these types there were. */
  count(...types: readonly string[]): Promise<number>;
  /** Another RSA key, which signs from now on; the one before stays valid. */
  rotateKey(): Promise<void>;
}

export async function createRealm(keycloak: Keycloak, name: string, sallyportPort: number): Promise<Realm> {
  const described = await readFile(join(import.meta.dirname, 'realm.json'), 'utf8');
  const realm = JSON.parse(described.replaceAll('8080', String(sallyportPort))) as Record<string, unknown>;
  await keycloak.admin('POST', '/realms', { ...realm, realm: name, privateKey: rsaKey() });
  const admin: Realm['admin'] = (method, path, body) => keycloak.admin(method, `/realms/${name}${path}`, body);
  const only = async (path: string) => {
    const [found] = (await admin('GET', path)) as { id: string }[];
    if (found === undefined) throw new Error(`${path}: there is none`);
    return found.id;
  };
  const userId = (username: string) => only(`/users?exact=true&username=${username}`);
  let keys = 0;
  return {
    name,
    issuer: `${keycloak.url}/realms/${name}`,
    admin,
    userId,
    async changeClient(clientId, attributes) {
      const path = `/clients/${await only(`/clients?clientId=${clientId}`)}`;
      const client = (await admin('GET', path)) as { attributes: Record<string, string> };
      await admin('PUT', path, { ...client, attributes: { ...client.attributes, ...attributes } });
    },
    async leaveGroup(username, group) {
      const groupId = await only(`/groups?exact=true&search=${group}`);
      await admin('DELETE', `/users/${await userId(username)}/groups/${groupId}`);
    },
    async count(...types) {
      const query = types.map((type) => `type=${type}`).join('&');
      return ((await admin('GET', `/events?max=1000&${query}`)) as RealmEvent[]).length;
    },
    async rotateKey() {
      keys += 1;
      await admin('POST', '/components', {
        name: `key ${keys}`,
        providerId: 'rsa',
        providerType: 'org.keycloak.keys.KeyProvider',
        config: { priority: [String(1_000 + keys)], algorithm: ['RS256'], privateKey: [rsaKey()] },
      });
    },
  };
}

// Keycloak takes seconds of CPU to make one with the compiler it has here.
function rsaKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' });
}

/** What an authenticator application shows now (RFC 6238), for a secret of realm.json. */
export function oneTimeCode(secret: string, now = Date.now()): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(now / 30_000)));
  const digest = createHmac('sha1', secret).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 15;
  return String((digest.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
}
