// From the Secret sallyport-keys to the key ring.
import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import { complain } from './parse.ts';
import { secretValue } from './content.ts';
import type { World } from './world.ts';
import { Redacted } from '../model/diagnostic.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { KeyRing, RingKey } from '../model/settings.ts';

export const keyRingSecretName = 'sallyport-keys';
export const keyRingKey = 'keys.json';

const ringSchema = z
  .array(
    z.strictObject({
      id: z.string().regex(/^[A-Za-z0-9]{1,16}$/),
      secret: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
      signingKey: z.string().max(4096).startsWith('-----BEGIN PRIVATE KEY-----'),
      since: z.iso.datetime().optional(),
    }),
  )
  .min(1)
  .max(16);

/** The ring in the installation's namespace; in a folder, whose one tenant it is, in any. */
export function readKeyRing(world: World): { readonly keyRing?: KeyRing; readonly diagnostics: readonly Diagnostic[] } {
  const { inventory, options } = world;
  const elsewhere = options.fromFolder
    ? [...inventory.secrets.keys()].find((key) => key.endsWith(`/${keyRingSecretName}`))
    : undefined;
  const secret = world.secret(elsewhere ?? `${options.installationNamespace}/${keyRingSecretName}`);
  return typeof secret === 'string' ? { diagnostics: [] } : rememberedRing(secret);
}

const known = new WeakMap<KubernetesObject, ReturnType<typeof readKeyRing>>();

function rememberedRing(secret: KubernetesObject): ReturnType<typeof readKeyRing> {
  const before = known.get(secret);
  if (before !== undefined) return before;
  const result = readRing(secret);
  known.set(secret, result);
  return result;
}

function readRing(secret: KubernetesObject): ReturnType<typeof readKeyRing> {
  const wrong = (message: string) => ({
    diagnostics: [
      complain(
        secret,
        'KeyRingInvalid',
        `data[${keyRingKey}]`,
        `${message}; keys that last as long as the process are used instead`,
      ),
    ],
  });
  const text = secretValue(secret, keyRingKey)?.toString('utf8');
  if (text === undefined) return wrong('the key ring is wanted here: delete this Secret and it is made anew');
  const ring = parseKeyRing(text);
  return typeof ring === 'string' ? wrong(ring) : { keyRing: ring, diagnostics: [] };
}

/** The ring, or what is wrong with it. */
export function parseKeyRing(text: string): KeyRing | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'this is not JSON';
  }
  const parsed = ringSchema.safeParse(json);
  if (!parsed.success) return 'a list of {id, secret, signingKey} is wanted, the signingKey PKCS #8 in PEM';
  if (new Set(parsed.data.map(({ id }) => id)).size < parsed.data.length) return 'two keys have one id';
  const keys = parsed.data.map(({ id, secret, signingKey, since }): RingKey => ({
    id,
    secret: new Redacted<Uint8Array>(Buffer.from(secret, 'base64url')),
    signingKey: new Redacted(signingKey),
    ...(since !== undefined && { since: Date.parse(since) }),
  }));
  const [first, ...rest] = keys;
  if (first === undefined || !keys.every(isSigningKey))
    return 'each signingKey must be a P-256 private key, PKCS #8 in PEM';
  return [first, ...rest];
}

function isSigningKey({ signingKey }: RingKey): boolean {
  try {
    return createPrivateKey(signingKey.reveal()).asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}
