// A running instance, asked over its admin port with the token that it has laid down for whoever may read its file.
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError, variableOf } from './settings.ts';

/** Where an instance writes its token, and the command line looks for it. */
export function tokenFileOf(port: number, given: string | undefined): string {
  return given ?? join(tmpdir(), `sallyport-admin-${port}.token`);
}

export interface AdminTarget {
  /** `http://127.0.0.1:9090` */
  readonly url: string;
  readonly tokenFile?: string;
}

const timeoutMs = 30_000;

/** @throws {UsageError} for a question or an address at fault. @throws {Error} where there is no answer. */
export async function askAdmin<T>({ url, tokenFile }: AdminTarget, path: string, question: unknown): Promise<T> {
  const base = readAdminUrl(url);
  const file = tokenFileOf(Number(base.port), tokenFile ?? process.env[variableOf('admin-token-file')]);
  const token = await readFile(file, 'utf8').catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the token of ${base.host} cannot be read; name its file with --admin-token-file (${why})`);
  });
  const response = await fetch(new URL(path, base), {
    method: 'POST',
    headers: { authorization: `Bearer ${token.trim()}`, 'content-type': 'application/json' },
    body: JSON.stringify(question),
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause: unknown) => {
    throw new Error(`nothing answers at ${base.host}`, { cause });
  });
  const text = await response.text();
  // The two are the same version as a rule: the answer is believed to have the form that is asked for.
  if (response.ok) return JSON.parse(text) as T;
  if (response.status === 400) throw new UsageError(text.trim());
  throw new Error(response.status === 401 ? `${base.host} does not take the token of ${file}` : text.trim());
}

/** The token goes to nobody but this computer, which is all that the port answers anyway. */
function readAdminUrl(text: string): URL {
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`);
  const isLocal = url !== null && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  if (!isLocal || url.protocol !== 'http:' || url.port === '') {
    throw new UsageError(`--admin: "${text}" is not an address like http://127.0.0.1:9090`);
  }
  return url;
}
