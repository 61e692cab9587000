// Which certificate a TLS client is shown: by the name it asks for, built when first asked for, never across names.
import { constants } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { Certificate, HostRoutes, RouteTable } from '../model/route.ts';
import type { TlsSettings } from '../model/settings.ts';
import type { Logger } from '../telemetry.ts';
import { canonicalHostName } from './address.ts';
import { matchHost, wildcardOf } from './match.ts';
import { isAuthenticationHost } from './own.ts';
import type { CanonicalRequest } from './request.ts';

/**
 * What a listener speaks, and shows where a certificate is given. Without tickets: a session resumed under another name would
 * skip the choice of the certificate (CVE-2025-23419).
 */
export function tlsOptions({ minVersion, ciphers }: TlsSettings, certificate?: Certificate): SecureContextOptions {
  return {
    minVersion,
    ciphers: ciphers.join(':'),
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    ...(certificate && { cert: certificate.chain, key: certificate.key.reveal() }),
  };
}

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

type Contexts = (certificate: Certificate, tls: TlsSettings) => SecureContext | undefined;

/** Builds a context once per certificate, 0.3 ms each, and anew for other settings; undefined where chain and key are no pair. */
export function createContexts(log: Logger): Contexts {
  const contexts = new WeakMap<Certificate, { readonly tls: TlsSettings; readonly built?: SecureContext }>();
  return (certificate, tls) => {
    let context = contexts.get(certificate);
    if (context === undefined || !isSameTls(context.tls, tls)) {
      context = { tls, ...build(certificate, tls, log) };
      contexts.set(certificate, context);
    }
    return context.built;
  };
}

function build(certificate: Certificate, tls: TlsSettings, log: Logger): { readonly built?: SecureContext } {
  try {
    return { built: createSecureContext(tlsOptions(tls, certificate)) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    log.warn({ certificate: certificate.name, code }, 'certificate cannot be used');
    return {};
  }
}

// By value: each update brings settings of its own.
function isSameTls(before: TlsSettings, now: TlsSettings): boolean {
  return before === now || (before.minVersion === now.minVersion && before.ciphers.join() === now.ciphers.join());
}

/** Whether a client that names no host of ours is answered alike under both tables. */
export function isSameByDefault(before: RouteTable, now: RouteTable): boolean {
  const [one, other] = [before.defaultCertificate, now.defaultCertificate];
  return (
    isSameTls(before.settings.tls, now.settings.tls) &&
    one?.chain === other?.chain &&
    one?.key.reveal() === other?.key.reveal()
  );
}

/**
 * Whether a request that came over TLS has no business there: it is for a host of ours that nobody can reach so, for no
 * certificate is its own, and came under the name of another (RFC 9110, section 7.4). That is the one way in which hosts
 * differ, and all else is the class's: where two have certificates, each answers under the other's name, for who may enter is
 * decided by the host asked for.
 */
export function isMisdirected(table: RouteTable, host: string): boolean {
  return isOurs(table, host, matchHost(table, host)) && certificateFor(table, host) === undefined;
}

function isOurs(table: RouteTable, host: string, routes: HostRoutes | undefined): boolean {
  return (routes !== undefined && routes.host !== '') || isAuthenticationHost(host, table);
}

/** The same URL over https, where this one came over plain http, the host has a certificate, and somebody listens. */
export function httpsLocation(
  table: RouteTable,
  asked: CanonicalRequest,
  routes: HostRoutes | undefined,
  port: number | undefined,
): string | undefined {
  if (asked.scheme === 'https' || port === undefined || !isOurs(table, asked.host, routes)) return undefined;
  if (routes?.httpsRedirect === false) return undefined;
  if (certificateFor(table, asked.host) === undefined) return undefined;
  // Without a port the client came to 80, whatever ours is behind the Service: there, https is at 443.
  const suffix = asked.port === undefined || port === 443 ? '' : `:${port}`;
  return `https://${asked.host}${suffix}${asked.path}${asked.query}`;
}
