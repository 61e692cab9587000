// A small browser without a screen: cookies per host with their rules, redirects followed, every hop remembered.
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { hiddenFieldsOf } from '../demo/walk.ts';

export interface Answer {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface VisitOptions {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  /** Redirects to follow at the most; 0 shows the redirect itself. */
  readonly follow?: number;
  /** PEM, for https. */
  readonly ca?: string;
}

/** What a browser sends when a person follows a link. */
const navigation = {
  accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-site': 'none',
};

export interface Client {
  /** Cookies by host, then by name. */
  readonly cookies: Map<string, Map<string, string>>;
  /** Every URL asked for, in order. */
  readonly hops: URL[];
  visit(url: string | URL, options?: VisitOptions): Promise<Answer>;
  /** Fills in the provider's sign-in form on this page and goes on to where it leads. */
  signIn(page: Answer, account: string, options?: VisitOptions): Promise<Answer>;
}

export function createClient(): Client {
  const cookies = new Map<string, Map<string, string>>();
  const hops: URL[] = [];

  async function once(url: URL, options: VisitOptions): Promise<Answer> {
    hops.push(url);
    const jar = cookies.get(url.hostname) ?? new Map<string, string>();
    cookies.set(url.hostname, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await send(url, {
      ...options,
      headers: { ...navigation, ...options.headers, ...(cookie !== '' && { cookie }) },
    });
    for (const line of answer.headers['set-cookie'] ?? []) keep(jar, line);
    return answer;
  }

  async function visit(from: string | URL, options: VisitOptions = {}): Promise<Answer> {
    let answer = await once(new URL(from), options);
    for (let left = options.follow ?? 12; left > 0; left -= 1) {
      const { location } = answer.headers;
      if (location === undefined || answer.status < 300 || answer.status > 399) return answer;
      // RFC 9110, section 15.4: 307 and 308 keep the method, the others are asked for anew.
      const again = answer.status >= 307 ? options : { ...(options.ca !== undefined && { ca: options.ca }) };
      answer = await once(new URL(location, answer.url), again);
    }
    return answer;
  }

  return {
    cookies,
    hops,
    visit,
    async signIn(page, account, options) {
      const post = (url: URL, fields: Record<string, string>) => {
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        return visit(url, { ...options, method: 'POST', body: new URLSearchParams(fields).toString(), headers });
      };
      const answer = await post(page.url, { account, password: 'demo' });
      if (!answer.body.includes('<script>') || answer.url.host !== page.url.host) return answer;
      // The provider ends the first person's session by a form that sends itself off, which takes a script.
      const action = /<form[^>]* action="([^"]+)"/.exec(answer.body)?.[1] ?? '';
      return post(new URL(action, answer.url), { ...hiddenFieldsOf(answer.body), logout: 'yes' });
    },
  };
}

// Max-Age=0, an Expires long ago and an empty value all end a cookie.
function keep(jar: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(';');
  const equals = pair.indexOf('=');
  const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)];
  const ends = value === '' || attributes.some((one) => /^\s*(max-age=0|expires=.*1970.*)$/i.test(one));
  if (ends) jar.delete(name);
  else jar.set(name, value);
}

/** One request. Names under .localhost are the loopback's, whatever the resolver thinks. */
export function send(url: URL, { method = 'GET', headers = {}, body, ca }: VisitOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const options = {
      host: '127.0.0.1',
      port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port,
      path: url.pathname + url.search,
      method,
      headers: { host: url.host, ...headers },
      agent: false,
      ...(url.protocol === 'https:' && { servername: url.hostname, ca }),
    } as const;
    const outgoing = request(options, (response) => {
      text(response).then(
        (received) => resolve({ url, status: response.statusCode ?? 0, headers: response.headers, body: received }),
        reject,
      );
    });
    outgoing.once('error', reject);
    outgoing.setTimeout(15_000, () => outgoing.destroy(new Error(`${url.href} does not answer`)));
    outgoing.end(body);
  });
}
