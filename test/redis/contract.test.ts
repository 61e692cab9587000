// The store in Redis keeps the contract: on a single server, over TLS as a user with the least rights, and in a Cluster.
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
    await server.command('ACL', 'SETUSER', ...aclOfThePage());
    await server.command('ACL', 'SETUSER', 'sallyport', '>correct horse');
  });
  after(async () => {
    await server.stop();
    authority.close();
  });
  keepsContract('the Redis store over TLS', () => ({
    urls: [server.url],
    username: new Redacted('sallyport'),
    password: new Redacted('correct horse'),
    ca: authority.ca,
    cluster: false,
  }));
});

describe('a Cluster', () => {
  let cluster: RedisCluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster.stop());
  keepsContract('the Redis store in a Cluster', () => ({ urls: cluster.urls, cluster: true }));
});

/** The line of the page, so that what people copy is what was tried. */
function aclOfThePage(): readonly string[] {
  const page = readFileSync(join(import.meta.dirname, '../../docs/sessions.md'), 'utf8');
  const line = /^ACL SETUSER (sallyport .*)$/m.exec(page)?.[1];
  if (line === undefined) throw new Error('docs/sessions.md has a line ACL SETUSER sallyport …');
  return line.split(' ').filter((word) => !word.startsWith('>'));
}
