// Walks through the demo provider as a browser would, by fetch: from an authorization URL back to the client.
import assert from 'node:assert/strict';
import { demoPassword } from '../../demo/accounts.ts';

/** A browser's cookies at the provider, by name. */
export type CookieJar = Map<string, string>;

/** What a person does at the sign-in page. */
export type Choice = { readonly account: string; readonly password?: string } | 'cancel';

/** Fetches without following redirects, and keeps the cookies. */
export async function visit(jar: CookieJar, url: string | URL, init: RequestInit = {}): Promise<Response> {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const response = await fetch(url, { ...init, redirect: 'manual', headers: { accept: 'text/html', cookie } });
  for (const line of response.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === '' || line.includes('1970')) jar.delete(name);
    else jar.set(name, value);
  }
  return response;
}

/** Posts a form, as a click in a page at `url` would. */
export function post(jar: CookieJar, url: string | URL, fields: Record<string, string>): Promise<Response> {
  return visit(jar, url, { method: 'POST', body: new URLSearchParams(fields) });
}

/** A page of the provider that waits for somebody to do something. */
export interface PageSeen {
  readonly url: URL;
  readonly status: number;
  readonly text: string;
}

/**
 * Follows redirects and forms that send themselves off, and makes the one choice at the sign-in page. Returns the first
 * URL outside the provider, or the page at which the way ends.
 */
export async function walk(jar: CookieJar, from: string | URL, choice?: Choice): Promise<URL | PageSeen> {
  let url = new URL(from);
  const { origin } = url;
  let pending = choice;
  let response = await visit(jar, url);
  for (let steps = 0; steps < 12; steps += 1) {
    const location = response.headers.get('location');
    if (location !== null) {
      url = new URL(location, url);
      if (url.origin !== origin) return url;
      response = await visit(jar, url);
      continue;
    }
    const text = await response.text();
    if (pending !== undefined && url.pathname.startsWith('/interaction/')) {
      response = await post(jar, url, fieldsOf(pending));
      pending = undefined;
    } else if (text.includes('<script>')) {
      url = new URL(/<form[^>]* action="([^"]+)"/.exec(text)?.[1] ?? '', url);
      response = await post(jar, url, { ...hiddenFieldsOf(text), logout: 'yes' });
    } else {
      return { url, status: response.status, text };
    }
  }
  throw new Error(`no end of redirects, the last to ${url.href}`);
}

export function hiddenFieldsOf(page: string): Record<string, string> {
  const fields = page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g);
  return Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value]));
}

/** Signs in and returns the callback URL with its code. `account` is a `sub`. */
export async function signInAt(from: string | URL, account: string, jar: CookieJar = new Map()): Promise<URL> {
  const end = await walk(jar, from, { account });
  assert(end instanceof URL, 'the sign-in ended at a page of the provider');
  return end;
}

function fieldsOf(choice: Choice): Record<string, string> {
  if (choice === 'cancel') return { cancel: 'yes' };
  return { account: choice.account, password: choice.password ?? demoPassword };
}
