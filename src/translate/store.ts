// From spec.sessions.store of a Sallyport, and the Secrets that it names, to where sessions live.
import { isCertificate } from './certificate.ts';
import { secretValue } from './content.ts';
import { complain } from './parse.ts';
import { createMemory } from './remember.ts';
import type { World } from './world.ts';
import { Redacted } from '../model/diagnostic.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { SallyportSpec } from '../model/kinds.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { RedisSettings, StoreSettings } from '../model/settings.ts';

export interface StoreReading {
  /** Absent: it cannot be told, and whichever store is open stays. */
  readonly store?: StoreSettings;
  readonly diagnostics: readonly Diagnostic[];
}

type RedisSpec = NonNullable<NonNullable<NonNullable<SallyportSpec['sessions']>['store']>['redis']>;
type Reference = { readonly namespace: string; readonly name: string };
type LookedUp = ReturnType<World['secret']> | undefined;

const path = 'spec.sessions.store.redis';
const consequence = 'sessions stay where they are, and where there is no store yet nobody can sign in';
const rememberStore = createMemory<StoreReading>();

/** Settings that did not change are the same object again: a store is opened anew where they are not. */
export function readStore(world: World, sallyport: KubernetesObject, spec: SallyportSpec): StoreReading {
  const { type = 'Secret', redis } = spec.sessions?.store ?? {};
  const isRedis = type === 'Redis';
  const lookUp = (reference: Reference | undefined): LookedUp =>
    isRedis && reference ? world.secret(`${reference.namespace}/${reference.name}`) : undefined;
  const [credentials, ca] = [lookUp(redis?.credentialsSecretRef), lookUp(redis?.caSecretRef)];
  return rememberStore(sallyport, [credentials, ca], () => {
    if (type === 'Memory') return { store: { type }, diagnostics: [] };
    if (isRedis) return readRedis(sallyport, redis, credentials, ca);
    const { namespace, max } = spec.sessions?.store?.secret ?? { namespace: 'sallyport-sessions', max: 5_000 };
    return { store: { type, namespace, max }, diagnostics: [] };
  });
}

function readRedis(
  sallyport: KubernetesObject,
  spec: RedisSpec | undefined,
  credentials: LookedUp,
  ca: LookedUp,
): StoreReading {
  const found: Diagnostic[] = [];
  const say = (code: 'ObjectInvalid' | 'SecretNotFound' | 'SecretInvalid', field: string, wrong: string) =>
    void found.push(complain(sallyport, code, field === '' ? path : `${path}.${field}`, `${wrong}: ${consequence}`));
  if (spec === undefined) {
    say('ObjectInvalid', '', 'the type Redis wants redis.url, such as rediss://redis.data.svc:6379');
    return { diagnostics: found };
  }
  const [first, ...rest] = spec.url.split(',').map((url) => url.trim());
  const urls: RedisSettings['urls'] = [first ?? '', ...rest];
  const wrong =
    wrongWithUrls(urls, spec) ?? (spec.cluster === true && spec.sentinel !== undefined ? bothWays : undefined);
  if (wrong !== undefined) say('ObjectInvalid', wrong === bothWays ? 'sentinel' : 'url', wrong);
  const value = (secret: LookedUp, field: 'credentialsSecretRef' | 'caSecretRef', key: string, isOptional = false) => {
    const reference = spec[field];
    if (secret === undefined || secret === 'pending' || reference === undefined) return undefined;
    const name = `Secret ${reference.namespace}/${reference.name}`;
    const text = secret === 'missing' ? undefined : secretValue(secret, key)?.toString('utf8').trim();
    if (text !== undefined && text !== '') return text;
    if (!isOptional)
      say('SecretNotFound', field, secret === 'missing' ? `there is no ${name}` : `${name} has no ${key}`);
    return undefined;
  };
  const password = value(credentials, 'credentialsSecretRef', 'password');
  const username = value(credentials, 'credentialsSecretRef', 'username', true);
  const caText = value(ca, 'caSecretRef', 'ca.crt');
  if (caText !== undefined && !isCertificate(caText)) {
    say('SecretInvalid', 'caSecretRef', 'ca.crt of its Secret is not a PEM certificate');
  }
  const isWhole = found.length === 0 && credentials !== 'pending' && ca !== 'pending';
  if (!isWhole) return { diagnostics: found };
  const store: StoreSettings = {
    type: 'Redis',
    urls,
    ...(username !== undefined && { username: new Redacted(username) }),
    ...(password !== undefined && { password: new Redacted(password) }),
    ...(caText !== undefined && { ca: caText }),
    cluster: spec.cluster === true,
    ...(spec.sentinel !== undefined && { sentinel: spec.sentinel }),
  };
  return { store, diagnostics: found };
}

const bothWays = 'a server is found by Sentinel or in a Cluster: leave cluster or sentinel out';

/** A URL may hold what somebody took for the place of a password, so none is shown. */
function wrongWithUrls(urls: RedisSettings['urls'], { cluster, sentinel }: RedisSpec): string | undefined {
  const parsed = urls.map((url) => URL.parse(url));
  if (!parsed.every((url) => url !== null && /^rediss?:$/.test(url.protocol) && url.hostname !== '')) {
    return 'a URL with redis:// or rediss:// is wanted, such as rediss://redis.data.svc:6379, or several with commas between';
  }
  const all = parsed.filter((url) => url !== null);
  if (all.some(({ username, password }) => username !== '' || password !== '')) {
    return 'a user and a password belong in the Secret of credentialsSecretRef, under username and password';
  }
  if (!all.every(({ pathname, search, hash }) => /^(\/\d{0,4})?$/.test(pathname) && search === '' && hash === '')) {
    return 'nothing but the number of a database may follow the host, such as rediss://redis.data.svc:6379/0';
  }
  if (new Set(all.map(({ protocol }) => protocol)).size > 1)
    return 'either all or none are reached over TLS (rediss://)';
  if (all.length > 1 && cluster !== true && sentinel === undefined) {
    return 'several servers are those of a Cluster or Sentinels: say cluster: true, or sentinel with the name of the master';
  }
  return undefined;
}
