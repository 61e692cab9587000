// `sallyport keys`: a key ring, and its rotation, from a Secret on stdin to a Secret on stdout; it reaches for no cluster itself.
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { createKeyRing, serializeKeyRing } from '../auth/keys.ts';
import { rotate, rotationSteps } from '../auth/rotation.ts';
import { readManifest } from '../inventory/manifest.ts';
import { duration, parseDuration } from '../model/duration.ts';
import { secretContent } from '../model/objects.ts';
import type { KeyRing } from '../model/settings.ts';
import { keyRingKey, keyRingSecretName, parseKeyRing } from '../translate/keyring.ts';
import { UsageError } from './settings.ts';

export const keysHelp = `sallyport keys new|show|add|promote|retire: the Secret ${keyRingSecretName}, and its rotation

  new       Prints the Secret with a ring of one new key.
  show      Says which keys the Secret on stdin holds. The other three print it changed, as JSON:
  add       A new key, which verifies; every application learns of it within five minutes.
  promote   The added key signs and seals from now on; the older ones still open and verify.
  retire    The older keys are gone, once no session needs them.

  --sessions DURATION   How long sessions live, for retire. [14h]
  --namespace NAME      For new. [sallyport-system]
  --now                 Does not wait: for a key that has leaked. People are signed out, and applications see failures.
`;

/** Reads and prints; returns the exit code. @throws {UsageError} */
export async function keys(args: readonly string[], print: (text: string) => void): Promise<number> {
  const { step, namespace, sessionMs, atOnce } = readArgs(args);
  if (step === 'new') {
    const metadata = { name: keyRingSecretName, namespace };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque' };
    print(printable(secret, createKeyRing()));
    return 0;
  }
  if (process.stdin.isTTY) throw new UsageError(`keys ${step}: the Secret ${keyRingSecretName} is wanted on stdin`);
  const { secret, ring } = readSecret(await text(process.stdin));
  const rotation = rotationSteps.find((one) => one === step);
  if (rotation === undefined) {
    const rows = ring.map(({ id, since }, at) => [
      id,
      at === 0 ? 'signs' : 'verifies',
      since && new Date(since).toISOString(),
    ]);
    print(rows.map((row) => row.filter(Boolean).join('  ')).join('\n'));
    return 0;
  }
  const rotated = rotate(ring, rotation, { now: Date.now(), sessionMs, atOnce });
  if ('refused' in rotated) {
    const { refused, until } = rotated;
    throw new Error(
      `keys ${step}: ${refused}${until === undefined ? '' : `; again after ${new Date(until).toISOString()}`}`,
    );
  }
  console.error(`sallyport: ${rotated.said}`);
  print(printable(secret, rotated.ring));
  return 0;
}

function readArgs(args: readonly string[]) {
  const options = {
    namespace: { type: 'string', default: 'sallyport-system' },
    sessions: { type: 'string', default: '14h' },
    now: { type: 'boolean', default: false },
  } as const;
  const wrong = (why: string) => new UsageError(`keys: ${why} (sallyport help keys)`);
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : 'the flags cannot be read');
  }
  const [step = '', ...more] = parsed.positionals;
  const { namespace, sessions, now } = parsed.values;
  if (!['new', 'show', ...rotationSteps].includes(step) || more.length > 0)
    throw wrong(`one of new, show, ${rotationSteps.join(', ')} is wanted`);
  if (!duration.safeParse(sessions).success) throw wrong('--sessions: a duration is wanted, such as 14h');
  return { step, namespace, sessionMs: parseDuration(sessions), atOnce: now };
}

interface Secret {
  readonly metadata: object;
  readonly data?: unknown;
}

function readSecret(source: string): { readonly secret: Secret; readonly ring: KeyRing } {
  const { objects, problems } = readManifest(source);
  const secret = objects.find(
    ({ object }) => object.kind === 'Secret' && object.metadata.name === keyRingSecretName,
  )?.object;
  const content = secretContent.safeParse(secret).data?.data?.[keyRingKey];
  const missing = problems[0]?.message ?? 'there is none';
  const ring = content === undefined ? missing : parseKeyRing(Buffer.from(content, 'base64').toString());
  if (secret === undefined || typeof ring === 'string') {
    const why = typeof ring === 'string' ? ring : missing;
    throw new Error(`stdin: the Secret ${keyRingSecretName} with its ${keyRingKey} is wanted: ${why}`);
  }
  return { secret, ring };
}

// With all else that it has, its resourceVersion too: so `kubectl replace` refuses what was changed meanwhile.
function printable(secret: Secret, ring: KeyRing): string {
  return JSON.stringify({ ...secret, data: { [keyRingKey]: Buffer.from(serializeKeyRing(ring)).toString('base64') } });
}
