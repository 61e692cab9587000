// The least of an ACME client (RFC 8555): an account, and certificates for one name each, proved over http.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlattenedSign, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { Pair } from '../../integration/certificates.ts';

export interface AcmeAccount {
  /** What a solver answers after the token and a dot (section 8.1). */
  readonly thumbprint: string;
  /** @param solve Sees to it that the challenge of this token is answered. @throws {Error} with what the server says. */
  issue(host: string, solve: (token: string) => Promise<void>): Promise<Pair>;
}

interface Reply {
  readonly location: string;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

interface Challenge {
  readonly type: string;
  readonly url: string;
  readonly token: string;
}

export async function createAccount(directory: URL, ca: string): Promise<AcmeAccount> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const urls = (await exchange(directory, ca, 'GET')).json as Readonly<Record<string, string>>;
  let account: string | undefined;

  /** Signed, as everything is; without a payload it is a question (section 6.3). */
  async function post(url: string, payload?: unknown): Promise<Reply> {
    const { nonce = '' } = await exchange(new URL(urls['newNonce'] ?? ''), ca, 'HEAD');
    const said = payload === undefined ? '' : JSON.stringify(payload);
    const signed = await new FlattenedSign(new TextEncoder().encode(said))
      .setProtectedHeader({ alg: 'ES256', nonce, url, ...(account === undefined ? { jwk } : { kid: account }) })
      .sign(privateKey);
    return exchange(new URL(url), ca, 'POST', JSON.stringify(signed));
  }

  async function becomes(url: string, wanted: string): Promise<Reply> {
    for (let tries = 0; tries < 100; tries += 1) {
      const reply = await post(url);
      if (reply.json['status'] === wanted) return reply;
      if (reply.json['status'] === 'invalid') throw new Error(`not ${wanted}: ${reply.text}`);
      await sleep(200);
    }
    throw new Error(`${url} is not ${wanted} after 20 seconds`);
  }

  account = (await post(urls['newAccount'] ?? '', { termsOfServiceAgreed: true })).location;
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    async issue(host, solve) {
      const order = await post(urls['newOrder'] ?? '', { identifiers: [{ type: 'dns', value: host }] });
      for (const url of order.json['authorizations'] as readonly string[]) {
        const { json } = await post(url);
        const challenge = (json['challenges'] as readonly Challenge[]).find(({ type }) => type === 'http-01');
        if (challenge === undefined) throw new Error('the server knows no http-01');
        await solve(challenge.token);
        await post(challenge.url, {});
        await becomes(url, 'valid');
      }
      const { key, request: csr } = signingRequest(host);
      await post(String(order.json['finalize']), { csr });
      const { json } = await becomes(order.location, 'valid');
      return { certificate: (await post(String(json['certificate']))).text, key };
    },
  };
}

/** A new key, and what it asks to have signed: DER, base64url. */
function signingRequest(host: string): { readonly key: string; readonly request: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-csr-'));
  const [key, csr] = [join(folder, 'key'), join(folder, 'csr')];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  const named = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`, '-outform', 'DER', '-out', csr];
  execFileSync('openssl', ['req', '-new', ...newKey, ...named], { stdio: 'pipe' });
  const made = { key: readFileSync(key, 'utf8'), request: readFileSync(csr).toString('base64url') };
  rmSync(folder, { recursive: true, force: true });
  return made;
}

async function exchange(
  url: URL,
  ca: string,
  method: string,
  body?: string,
): Promise<Reply & { readonly nonce?: string }> {
  const headers = { 'user-agent': 'sallyport-test', 'content-type': 'application/jose+json' };
  const asking = request(url, { method, ca, headers }).end(body);
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  const received = await text(response);
  const { statusCode = 0, headers: got } = response;
  if (statusCode >= 400) throw new Error(`${url.href}: ${statusCode} ${received}`);
  const isJson = got['content-type']?.startsWith('application/json') === true;
  const json = isJson ? (JSON.parse(received) as Reply['json']) : {};
  const nonce = got['replay-nonce'];
  return { location: got.location ?? '', text: received, json, ...(typeof nonce === 'string' && { nonce }) };
}
