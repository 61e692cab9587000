// The key ring at work: every purpose has a key of its own, and what is sealed for one use opens for no other.
import { createCipheriv, createDecipheriv, createHmac, generateKeyPairSync, hkdfSync, randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { Redacted } from '../model/diagnostic.ts';
import type { KeyRing, RingKey } from '../model/settings.ts';

/**
 * What a sealed text is for. `flow`: a sign-in under way, in a cookie. `request`: an application host asks the
 * authentication host for a sign-in. `host-cookie`: a session's secret, for one host. `listing`, `body`, `index`: parts
 * of a record. `journey`: a sign-in before its provider is chosen. `return`: where a signed-out person came from. `notice`:
 * what replicas tell each other.
 */
export type Purpose =
  | 'flow'
  | 'request'
  | 'host-cookie'
  | 'listing'
  | 'body'
  | 'index'
  | 'journey'
  | 'return'
  | 'notice';

const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

const derived = new WeakMap<RingKey, Map<Purpose, Buffer>>();

function purposeKey(key: RingKey, purpose: Purpose): Buffer {
  const keys = derived.get(key) ?? new Map<Purpose, Buffer>();
  derived.set(key, keys);
  const known = keys.get(purpose);
  if (known !== undefined) return known;
  const made = Buffer.from(hkdfSync('sha256', key.secret.reveal(), '', `sallyport ${purpose}`, 32));
  keys.set(purpose, made);
  return made;
}

// A body opens with the ring's key and the browser's secret together (promise 6): HKDF, RFC 5869, over the one, salted
// with the other.
function keyFor(key: RingKey, purpose: Purpose, secret?: Uint8Array): Buffer {
  const own = purposeKey(key, purpose);
  return secret === undefined ? own : Buffer.from(hkdfSync('sha256', secret, own, 'sallyport with secret', 32));
}

/**
 * Encrypts a text under the ring's first key: `keyId.base64url(nonce ‖ ciphertext ‖ tag)`.
 * @param bound What it is sealed to, for instance a host: it opens only where the same is given again.
 */
export function seal(
  ring: KeyRing,
  purpose: Purpose,
  plain: string | Uint8Array,
  bound: string,
  secret?: Uint8Array,
): string {
  const [key] = ring;
  const nonce = randomBytes(nonceBytes);
  const aead = createCipheriv(cipher, keyFor(key, purpose, secret), nonce).setAAD(Buffer.from(bound));
  const sealed = Buffer.concat([nonce, aead.update(plain), aead.final(), aead.getAuthTag()]);
  return `${key.id}.${sealed.toString('base64url')}`;
}

/** The text that was sealed; `undefined` for anything else, whatever is wrong with it. */
export function unseal(
  ring: KeyRing,
  purpose: Purpose,
  sealed: string,
  bound: string,
  secret?: Uint8Array,
): Buffer | undefined {
  const dot = sealed.indexOf('.');
  const key = ring.find(({ id }) => id === sealed.slice(0, dot));
  const text = sealed.slice(dot + 1);
  const bytes = Buffer.from(text, 'base64url');
  if (key === undefined || bytes.length < nonceBytes + tagBytes) return undefined;
  // Node skips letters that are not base64url's, and spare bits: each text is to have one spelling, so that none passes for new.
  if (bytes.toString('base64url') !== text) return undefined;
  try {
    const aead = createDecipheriv(cipher, keyFor(key, purpose, secret), bytes.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    });
    aead.setAAD(Buffer.from(bound)).setAuthTag(bytes.subarray(-tagBytes));
    return Buffer.concat([aead.update(bytes.subarray(nonceBytes, -tagBytes)), aead.final()]);
  } catch {
    return undefined;
  }
}

/**
 * What was sealed as JSON, in the shape wanted; `undefined` for anything else: while replicas of two versions run side by
 * side, a text may come from the other one.
 */
export function parseSealed<T>(schema: z.ZodType<T>, plain: Buffer | undefined): T | undefined {
  if (plain === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(plain.toString());
  } catch {
    return undefined;
  }
  return schema.safeParse(value).data;
}

/** What finds a record without telling what it is about. The name separates, so that a person is never a provider. */
export function indexValue(key: RingKey, name: string, value: string): string {
  return createHmac('sha256', purposeKey(key, 'index')).update(`${name}\0${value}`).digest('base64url');
}

/** A fresh ring of one key. */
export function createKeyRing(): KeyRing {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return [
    {
      id: randomBytes(6)
        .toString('base64url')
        .replaceAll(/[^A-Za-z0-9]/g, 'x'),
      secret: new Redacted<Uint8Array>(randomBytes(32)),
      signingKey: new Redacted(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    },
  ];
}

/** The one key `keys.json` of the Secret `sallyport-keys`; translate/keyring reads it back. */
export function serializeKeyRing(ring: KeyRing): string {
  return JSON.stringify(
    ring.map(({ id, secret, signingKey, since }) => ({
      id,
      secret: Buffer.from(secret.reveal()).toString('base64url'),
      signingKey: signingKey.reveal(),
      ...(since !== undefined && { since: new Date(since).toISOString() }),
    })),
  );
}
