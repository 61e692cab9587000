// Which certificate a TLS client is shown: by the name it asks for, built when first asked for, never across names.
import { constants } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { Certificate, HostRoutes, RouteTable } from '../model/route.ts';
import type { Logger } from '../telemetry.ts';
import { canonicalHostName } from './address.ts';
import { wildcardOf } from './match.ts';
import { isAuthenticationHost } from './own.ts';
import type { CanonicalRequest } from './request.ts';

/** Without tickets: a session resumed under another name would skip the choice of the certificate (CVE-2025-23419). */
export const tlsOptions: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  honorCipherOrder: true,
};

/** The host's own, for a host that nobody claims that of `*.rest`, else the class's default. `name` as the client sent it: anything at all. */
export function certificateFor(table: RouteTable, name: string): Certificate | undefined {
  const host = canonicalHostName(name);
  if (host === undefined) return table.defaultCertificate;
  const own = table.hosts.get(host);
  // A host that is somebody's has no part in the certificate of a wildcard that may be somebody else's.
  if (own !== undefined && own.solversOnly !== true) return own.certificate ?? table.defaultCertificate;
  const wildcard = wildcardOf(host);
  return (wildcard === undefined ? undefined : table.hosts.get(wildcard)?.certificate) ?? table.defaultCertificate;
}

/** Builds a context once per certificate, 0.3 ms each; undefined where chain and key are no pair. */
export function createContexts(log: Logger): (certificate: Certificate) => SecureContext | undefined {
  const contexts = new WeakMap<Certificate, { readonly built?: SecureContext }>();
  return (certificate) => {
    let context = contexts.get(certificate);
    if (context === undefined) {
      context = build(certificate, log);
      contexts.set(certificate, context);
    }
    return context.built;
  };
}

function build(certificate: Certificate, log: Logger): { readonly built?: SecureContext } {
  try {
    return { built: createSecureContext(pairOptions(certificate)) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    log.warn({ certificate: certificate.name, code }, 'certificate cannot be used');
    return {};
  }
}

export function pairOptions({ chain, key }: Certificate): SecureContextOptions {
  return { ...tlsOptions, cert: chain, key: key.reveal() };
}

/** The same URL over https, where this one came over plain http, the host has a certificate, and somebody listens. */
export function httpsLocation(
  table: RouteTable,
  asked: CanonicalRequest,
  routes: HostRoutes | undefined,
  port: number | undefined,
): string | undefined {
  const isServed = (routes !== undefined && routes.host !== '') || isAuthenticationHost(asked.host, table);
  if (asked.scheme === 'https' || port === undefined || !isServed) return undefined;
  if (certificateFor(table, asked.host) === undefined) return undefined;
  // Without a port the client came to 80, whatever ours is behind the Service: there, https is at 443.
  const suffix = asked.port === undefined || port === 443 ? '' : `:${port}`;
  return `https://${asked.host}${suffix}${asked.path}${asked.query}`;
}
