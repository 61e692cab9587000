// The store in Redis keeps the contract: on a single server, over TLS as a user with the least rights, and in a Cluster.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe } from 'node:test';
import { Redacted } from '../../src/model/diagnostic.ts';
import type { RedisSettings } from '../../src/model/settings.ts';
import { createRedisStore } from '../../src/sessions/redis.ts';
import { createLogger } from '../../src/telemetry.ts';
import { createCertificateAuthority } from '../integration/certificates.ts';
import { storeContract } from '../sessions.contract.ts';
import { startCluster } from './cluster.ts';
import type { RedisCluster } from './cluster.ts';
import { startRedis } from './server.ts';
import type { RedisServer } from './server.ts';

const log = createLogger('silent');

const password = 'correct horse';
const credentials = { username: new Redacted('sallyport'), password: new Redacted(password) };

const keepsContract = (name: string, settings: () => RedisSettings) =>
  storeContract(name, async () => ({ store: createRedisStore(settings(), { log }), advance: (ms) => delay(ms) }), {
    uncapped: true,
  });

describe('a single server', () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());
  keepsContract('the Redis store', () => ({ urls: [server.url], cluster: false }));
});

describe('TLS, and a user with the rights that docs/sessions.md names', () => {
  const authority = createCertificateAuthority();
  let server: RedisServer;
  before(async () => {
    server = await startRedis({ tls: { ca: authority.ca, pair: authority.sign('localhost') } });
    await createUser(server, 'for a database other than 0 also');
  });
  after(async () => {
    assert.deepEqual(await server.command('ACL', 'LOG'), [], 'nothing was refused');
    await server.stop();
    authority.close();
  });
  keepsContract('the Redis store over TLS', () => ({
    urls: [`${server.url}/3`],
    ...credentials,
    ca: authority.ca,
    cluster: false,
  }));
});

describe('a Cluster', () => {
  let cluster: RedisCluster;
  before(async () => {
    cluster = await startCluster();
    for (const node of cluster.masters) await createUser(node, 'In a Cluster also');
  });
  after(async () => {
    for (const node of cluster.masters) assert.deepEqual(await node.command('ACL', 'LOG'), [], 'nothing was refused');
    await cluster.stop();
  });
  keepsContract('the Redis store in a Cluster', () => ({ urls: cluster.urls, cluster: true, ...credentials }));
});

/** With the rights of the page, so that what people copy is what was tried; `more` leads to further ones there. */
async function createUser(server: RedisServer, more: string): Promise<void> {
  const page = readFileSync(join(import.meta.dirname, '../../docs/sessions.md'), 'utf8');
  const line = /^ACL SETUSER (sallyport .*)$/m.exec(page)?.[1];
  const further = new RegExp(`${more} \x60([^\x60]+)\x60`).exec(page)?.[1];
  assert.ok(line !== undefined && further !== undefined, 'the page names the rights');
  const words = `${line} ${further}`.split(' ').map((word) => (word === '>PASSWORD' ? `>${password}` : word));
  await server.command('ACL', 'SETUSER', ...words);
}
