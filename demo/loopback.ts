// Calls to this computer alone, by names that the system's resolver need not know, with the Host header that the caller wants.
import { request } from 'node:http';

export interface LoopbackAnswer {
  readonly status: number;
  readonly body: string;
}

export interface LoopbackCall {
  readonly url: URL;
  readonly method?: string;
  /** fetch would refuse to send `host`; here it is why one calls. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const timeoutMs = 2_500;
const maxAnswerBytes = 64 * 1024;

/**
 * Calls http on 127.0.0.1. Names under .localhost are the loopback's (RFC 6761, section 6.3), which glibc's resolver
 * does not know by itself. @throws {Error} for any other host, for no answer in 2.5 s, and for one above 64 KiB.
 */
export function callLoopback({ url, method = 'GET', headers = {}, body }: LoopbackCall): Promise<LoopbackAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<LoopbackAnswer>();
  if (url.protocol !== 'http:' || !isLoopback(url.hostname)) {
    reject(new Error(`the demo calls nobody but this computer over http, and not ${url.origin}`));
    return promise;
  }
  const call = request(
    {
      host: '127.0.0.1',
      port: url.port || 80,
      path: `${url.pathname}${url.search}`,
      method,
      headers: { host: url.host, ...headers },
      signal: AbortSignal.timeout(timeoutMs),
      agent: false,
    },
    (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > maxAnswerBytes)
          call.destroy(new Error(`${url.host} answered more than ${maxAnswerBytes} bytes`));
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
      answer.on('error', reject);
    },
  );
  call.on('error', reject);
  call.end(body);
  return promise;
}

function isLoopback(hostname: string): boolean {
  return hostname === '127.0.0.1' || hostname === 'localhost' || hostname.endsWith('.localhost');
}
