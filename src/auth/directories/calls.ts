// Calls to a directory's API: to the origins of its settings alone, within a deadline, and with a bounded answer.
import { Agent, fetch as undiciFetch } from 'undici';
import type { Response as UndiciResponse } from 'undici';
import { DirectoryError } from './directory-error.ts';
import { waitWanted } from './limits.ts';

/** How long one call may take, with its answer. */
const callTimeoutMs = 5_000;
/** An answer, or one page of it. The largest honest ones, 999 groups of Entra ID with their names, have some 200 KB. */
const maxAnswerBytes = 1 << 20;
/** With 100 to 999 groups a page: whoever is in more has an error, for some of the groups are not the groups. */
const maxPages = 100;

export interface Ask {
  readonly authorization?: string;
  /** Makes it a POST. */
  readonly form?: Readonly<Record<string, string>>;
  /** Likewise. */
  readonly json?: unknown;
}

export interface Answer {
  readonly headers: Headers;
  readonly body: unknown;
}

export interface Page {
  readonly groups: readonly string[];
  /** Absent: it was the last. */
  readonly next?: URL | undefined;
}

export interface Calls {
  /** The JSON of a 2xx, and `undefined` for a 404. @throws {DirectoryError} for everything else. */
  ask(url: URL, how?: Ask): Promise<Answer | undefined>;
  /** All groups, page after page, as `read` finds them. A first page of 404 is no group at all. @throws {DirectoryError} */
  list(first: URL, how: Ask, read: (answer: Answer) => Page): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface CallsOptions {
  /** Wherever a call may go. A page's link to the next leads nowhere else (SSRF, and our token with it). */
  readonly origins: readonly string[];
  readonly now: () => number;
  /** PEM. */
  readonly ca?: string;
}

export function createCalls({ origins, now, ca }: CallsOptions): Calls {
  const allowed = new Set(origins.map((origin) => new URL(origin).origin));
  const agent = new Agent({
    connect: { timeout: callTimeoutMs, ...(ca !== undefined && { ca }) },
    headersTimeout: callTimeoutMs,
    bodyTimeout: callTimeoutMs,
  });

  async function ask(url: URL, how: Ask = {}): Promise<Answer | undefined> {
    if (!allowed.has(url.origin) || !isPrivate(url)) {
      throw new DirectoryError('unavailable', `a directory is not asked at ${url.origin}: that is not where it is`);
    }
    const { response, text } = await wholeAnswer(url, {
      ...requestOf(how),
      dispatcher: agent,
      // A redirect would take our token along, to wherever it leads.
      redirect: 'manual',
      signal: AbortSignal.timeout(callTimeoutMs),
    });
    const headers = new Headers([...response.headers]);
    if (response.status === 404) return undefined;
    if (!response.ok) throw refusal(url, response.status, headers, text, now());
    return { headers, body: parsed(url, text) };
  }

  async function list(first: URL, how: Ask, read: (answer: Answer) => Page): Promise<readonly string[]> {
    const groups: string[] = [];
    let url: URL | undefined = first;
    for (let page = 0; url !== undefined; page += 1) {
      if (page === maxPages) throw new DirectoryError('denied', `a person's groups fill over ${maxPages} pages`);
      const answer: Answer | undefined = await ask(url, how);
      if (answer === undefined && page > 0) throw new DirectoryError('unavailable', `${first.host} lost the next page`);
      if (answer === undefined) return [];
      const found: Page = read(answer);
      groups.push(...found.groups);
      url = found.next;
    }
    return groups;
  }

  return { ask, list, close: () => agent.close() };
}

/** Encrypted, or on this machine. */
function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
}

function requestOf({ authorization, form, json }: Ask) {
  const body = form === undefined ? json && JSON.stringify(json) : new URLSearchParams(form).toString();
  const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
  return {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      accept: 'application/json',
      // GitHub refuses whoever does not say who they are.
      'user-agent': 'sallyport',
      ...(authorization !== undefined && { authorization }),
      ...(typeof body === 'string' && { 'content-type': type }),
    },
    ...(typeof body === 'string' && { body }),
  };
}

async function wholeAnswer(url: URL, init: Parameters<typeof undiciFetch>[1]) {
  try {
    const response: UndiciResponse = await undiciFetch(url, init);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > maxAnswerBytes) throw new Error(`an answer is over ${maxAnswerBytes} bytes`);
      chunks.push(chunk);
    }
    return { response, text: Buffer.concat(chunks).toString('utf8') };
  } catch (cause) {
    throw new DirectoryError('unavailable', `${url.host} gave no answer`, { cause });
  }
}

function parsed(url: URL, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new DirectoryError('unavailable', `${url.host} answered something that is not JSON`);
  }
}

/** The body is not shown: it may repeat what was sent. */
function refusal(url: URL, status: number, headers: Headers, text: string, now: number): DirectoryError {
  const retryAfterMs = waitWanted(status, headers, text, now);
  const message = `${url.host} answered ${status}`;
  if (retryAfterMs !== undefined) return new DirectoryError('unavailable', message, { status, retryAfterMs });
  const isOurs = status === 400 || status === 401 || status === 403;
  return new DirectoryError(isOurs ? 'denied' : 'unavailable', message, { status });
}
