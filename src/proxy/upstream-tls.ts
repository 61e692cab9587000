// What is proved on a connection to an application: who it must be, and who we are; one agent for each such identity.
import { createHash } from 'node:crypto';
import { Agent } from 'node:https';
import type { AgentOptions } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { LRUCache } from 'lru-cache';
import type { UpstreamTls } from '../model/route.ts';

/** What a request over TLS is made with. */
export interface TlsIdentity {
  readonly agent: Agent;
  readonly servername: string;
  readonly rejectUnauthorized: boolean;
  readonly secureContext: SecureContext;
}

export interface TlsIdentities {
  /** An error of OpenSSL's where a certificate or a key cannot be used: it asks for more than that they can be read. */
  of(tls: UpstreamTls): TlsIdentity | Error;
  close(): void;
}

const identitiesKept = 1_024;

export function createTlsIdentities(options: AgentOptions): TlsIdentities {
  // One that is dropped, or that a new certificate has replaced, serves its requests to the end; its idle connections end by
  // themselves after four seconds.
  const identities = new LRUCache<string, TlsIdentity>({ max: identitiesKept });
  return {
    of(tls) {
      const digest = digestOf(tls);
      const known = identities.get(digest);
      if (known !== undefined) return known;
      const made = makeIdentity(tls, options);
      if (!(made instanceof Error)) identities.set(digest, made);
      return made;
    },
    close() {
      for (const { agent } of identities.values()) agent.destroy();
    },
  };
}

function makeIdentity(
  { serverName, verify, ca, clientCertificate }: UpstreamTls,
  options: AgentOptions,
): TlsIdentity | Error {
  try {
    return {
      // No TLS sessions kept: a resumed one skips the check of the name (CVE-2026-48934), and proves nothing anew.
      agent: new Agent({ ...options, maxCachedSessions: 0 }),
      servername: serverName,
      rejectUnauthorized: verify !== false,
      // Made once: given as PEM they would be parsed for each connection, and be part of the agent's key at each request.
      secureContext: createSecureContext({
        ...(ca !== undefined && { ca }),
        ...(clientCertificate && { cert: clientCertificate.chain, key: clientCertificate.key.reveal() }),
      }),
    };
  } catch (error) {
    return error instanceof Error ? error : new Error('the TLS identity cannot be used', { cause: error });
  }
}

const digests = new WeakMap<UpstreamTls, string>();

/** The same for the same content, whichever object holds it: connections of one identity never serve another (CVE-2026-56850). */
function digestOf(tls: UpstreamTls): string {
  const known = digests.get(tls);
  if (known !== undefined) return known;
  const { serverName, verify, ca, clientCertificate } = tls;
  const parts = [serverName, verify !== false, ca, clientCertificate?.chain, clientCertificate?.key.reveal()];
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('base64');
  digests.set(tls, digest);
  return digest;
}
