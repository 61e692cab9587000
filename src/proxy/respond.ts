// Answers of our own: a page as HTML for a person or as problem JSON for a program, a redirect, or an answer of `auth`'s.
import { STATUS_CODES } from 'node:http';
import type { Answer } from '../auth/authority.ts';
import type { Page } from '../model/page.ts';
import type { Redirect } from '../model/route.ts';
import type { Exchange } from './exchange.ts';
import { frameHeaders, renderFrame, renderHtml, securityHeaders } from './html.ts';
import { describePage } from './pages.ts';
import type { Description } from './pages.ts';
import type { HeaderIndex } from './client.ts';
import { indexHeaders } from './request.ts';

export interface PageOptions {
  /** Other than the page's own. */
  readonly status?: number;
  /** Name, value, name, value… */
  readonly headers?: readonly string[];
}

/** Whether a person is looking (promise 9): Sec-Fetch-Mode where a browser sends it, else Accept. */
export function isNavigation(headers: HeaderIndex): boolean {
  const mode = headers.get('sec-fetch-mode')?.[0];
  if (mode !== undefined) return mode === 'navigate';
  return headers.get('accept')?.some((value) => /\btext\/html\b/i.test(value)) === true;
}

export function respondPage(exchange: Exchange, page: Page, options: PageOptions = {}): Promise<void> {
  const description = describePage(page);
  const status = options.status ?? description.status;
  const headers = exchange.asked?.headers ?? indexHeaders(exchange.request.rawHeaders);
  const forPerson = isNavigation(headers);
  const posts = description.actions?.some(({ method }) => method === 'post') === true;
  const body = forPerson
    ? renderHtml({ ...description, status }, exchange.id)
    : problem(status, description, { requestId: exchange.id, ...toldToPrograms(page) });
  return send(exchange, status, body, [
    'Content-Type',
    forPerson ? 'text/html; charset=utf-8' : 'application/problem+json',
    ...securityHeaders(posts),
    ...(description.retryAfterSeconds === undefined
      ? []
      : ['Retry-After', String(Math.ceil(description.retryAfterSeconds))]),
    ...(description.allow === undefined ? [] : ['Allow', description.allow.join(', ')]),
    // RFC 9110 §15.5.2: a 401 names at least one scheme.
    ...(status === 401 ? ['WWW-Authenticate', challenge(page, exchange.asked?.host ?? '')] : []),
    ...(options.headers ?? []),
  ]);
}

/** RFC 6750, section 3; of a person whose sign-in is too old or too weak, RFC 9470, section 3. */
function challenge(page: Page, host: string): string {
  const bearer = `Bearer realm="${host}"`;
  if (page.kind === 'TokenRefused') return `${bearer}, error="invalid_token", error_description="${page.reason}"`;
  if (page.kind !== 'SignInNeeded' || page.stepUp === undefined) return bearer;
  const { withinSeconds, acrValues, methods } = page.stepUp;
  const isOld = acrValues === undefined && methods === undefined;
  return [
    bearer,
    'error="insufficient_user_authentication"',
    `error_description="A ${isOld ? 'more recent' : 'stronger'} sign-in is needed"`,
    ...(acrValues === undefined ? [] : [`acr_values="${acrValues.join(' ')}"`]),
    ...(withinSeconds === undefined ? [] : [`max_age="${withinSeconds}"`]),
  ].join(', ');
}

/** RFC 9457, with extension members. */
function problem(status: number, { title, detail }: Description, members: Readonly<Record<string, string>>): string {
  return `${JSON.stringify({ type: 'about:blank', title, status, detail, ...members })}\n`;
}

function toldToPrograms(page: Page): Readonly<Record<string, string>> {
  if (page.kind !== 'Refused') return {};
  const { contact, rule } = page;
  return { ...(contact !== undefined && { contact }), ...(rule !== undefined && { rule }) };
}

// The one form of ours is a sign-out. Chromium keeps pages that were left alive in spite of no-store, for the back button.
// Those of ours that say who somebody is have a status that it does not keep; this ends the application's, on this host.
const forgetPages = ['Clear-Site-Data', '"cache"'];

export function respondRedirect(
  exchange: Exchange,
  status: 302 | 303 | 308,
  location: string,
  cookies: readonly string[] = [],
): Promise<void> {
  return send(exchange, status, '', [
    'Location',
    location,
    'Referrer-Policy',
    'no-referrer',
    ...(exchange.asked?.method === 'POST' && status === 303 ? forgetPages : []),
    ...setCookies(cookies),
  ]);
}

/** Where the route leads. Not kept (send says so): the next to ask may be somebody else. */
export function respondElsewhere(exchange: Exchange, { status }: Redirect, location: string): Promise<void> {
  return send(exchange, status, '', ['Location', location]);
}

/** The answer to a preflight: no body, and headers alone. */
export function respondNothing(exchange: Exchange, headers: readonly string[]): Promise<void> {
  return send(exchange, 204, '', headers);
}

export function respondAnswer(exchange: Exchange, answer: Answer): Promise<void> {
  switch (answer.kind) {
    case 'Redirect':
      return respondRedirect(exchange, answer.status, answer.location, answer.cookies);
    case 'Page':
      return respondPage(exchange, answer.page, { headers: setCookies(answer.cookies) });
    case 'Frame':
      return send(exchange, 200, renderFrame(), [
        'Content-Type',
        'text/html; charset=utf-8',
        ...frameHeaders(answer.ancestors),
        ...setCookies(answer.cookies),
      ]);
    case 'Json':
      return send(
        exchange,
        answer.status,
        `${JSON.stringify(answer.body)}\n`,
        ['Content-Type', 'application/json', 'X-Content-Type-Options', 'nosniff', ...setCookies(answer.cookies)],
        answer.maxAgeSeconds === undefined ? undefined : `public, max-age=${Math.floor(answer.maxAgeSeconds)}`,
      );
  }
}

function setCookies(cookies: readonly string[]): string[] {
  return cookies.flatMap((cookie) => ['Set-Cookie', cookie]);
}

const lingerMs = 5_000;
const lingerBytes = 256 * 1024;

/** Resolves when the answer is with the kernel, or the client gone. */
async function send(
  exchange: Exchange,
  status: number,
  body: string,
  headers: readonly string[],
  cacheControl = 'no-store',
): Promise<void> {
  const { request, response } = exchange;
  if (response.headersSent || response.destroyed || request.socket.destroyed) {
    response.destroy();
    return;
  }
  exchange.status = status;
  // An answer of the application's may have left its own words behind, where it turned out to be none.
  response.writeHead(status, STATUS_CODES[status], [
    ...headers,
    // RFC 9110, section 8.6: none in a 204.
    ...(status === 204 ? [] : ['Content-Length', String(Buffer.byteLength(body))]),
    'Cache-Control',
    cacheControl,
    'Server',
    'sallyport',
    'X-Request-Id',
    exchange.id,
    ...(exchange.cors ?? []),
    ...(exchange.transport ?? []),
  ]);
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  // Strings that are not ASCII must not travel with the headers: node:http would encode both as one.
  response.end(Buffer.from(body));
  discardRest(exchange);
  await closed;
}

/**
 * Reads on after an answer that came before the body's end, so that the client gets to read it: to close with unread bytes
 * resets the connection. Not for ever: whoever goes on sending is cut off.
 */
export function discardRest({ request }: Pick<Exchange, 'request'>): void {
  if (request.complete || request.destroyed) return;
  let left = lingerBytes;
  const stop = (): void => {
    request.socket.destroy();
  };
  const timer = setTimeout(stop, lingerMs).unref();
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) stop();
  });
  request.once('close', () => clearTimeout(timer));
  request.resume();
}
