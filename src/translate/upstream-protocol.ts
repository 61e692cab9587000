// How an application is spoken to: in plain text or over TLS, in HTTP/1.1 or HTTP/2, and what is proved; or why it is not.
import type { UpstreamTerms } from './upstream-terms.ts';
import type { DiagnosticCode } from '../model/diagnostic.ts';
import type { UpstreamTls } from '../model/route.ts';

export type Spoken = { readonly protocol: 'http' | 'h2c' } | { readonly protocol: 'https'; readonly tls: UpstreamTls };

export type Refusal = { readonly code: DiagnosticCode; readonly message: string } | 'Broken';

// KEP-3726 names those of kubernetes.io; the others stand in Services that were written for Istio, GKE and Contour. A name of
// IANA's may be in any letters (`HTTPS`, as GKE has it).
const protocols = {
  http: 'http',
  https: 'https',
  h2c: 'h2c',
  grpc: 'h2c',
  ws: 'http',
  wss: 'https',
  tcp: 'http',
  'kubernetes.io/h2c': 'h2c',
  'kubernetes.io/ws': 'http',
  'kubernetes.io/wss': 'https',
} as const;

/** What an appProtocol means; undefined: nobody has told us. */
export function protocolOf(appProtocol: string | null | undefined): Spoken['protocol'] | undefined {
  const name = appProtocol?.toLowerCase() ?? 'http';
  return Object.hasOwn(protocols, name) ? protocols[name as keyof typeof protocols] : undefined;
}

/**
 * @param port As messages name it.
 * @param name What it must prove where nothing else is said.
 */
export function speakTo(
  { class: all, own }: UpstreamTerms,
  appProtocol: string | null | undefined,
  port: string,
  name: string,
): Spoken | Refusal {
  const protocol = own.protocol ?? protocolOf(appProtocol) ?? 'http';
  if (protocol !== 'https') return speakPlainly(all.requiresTls, own.namesTls, protocol, port);
  if (own.verify === false && all.requiresTls) {
    const message = `the class asks for TLS to its applications, and ${port} would not have to prove its name: take upstream-tls-verify out; requests get 503`;
    return { code: 'UpstreamPlaintext', message };
  }
  // What an Ingress says itself stands in the place of what its class says.
  const ca = own.ca ?? all.ca;
  const clientCertificate = own.clientCertificate ?? all.clientCertificate;
  const usesClass = own.ca === undefined || own.clientCertificate === undefined;
  if (own.isBroken === true || (usesClass && all.isBroken === true)) return 'Broken';
  return {
    protocol,
    tls: {
      serverName: own.serverName ?? name,
      ...(own.verify === false && { verify: false }),
      ...(ca !== undefined && { ca }),
      ...(clientCertificate && { clientCertificate }),
    },
  };
}

function speakPlainly(
  isRequired: boolean,
  namesTls: boolean,
  protocol: 'http' | 'h2c',
  port: string,
): Spoken | Refusal {
  const remedy = 'set its appProtocol or the annotation upstream-protocol to https; requests get 503';
  if (isRequired) {
    return {
      code: 'UpstreamPlaintext',
      message: `the class asks for TLS to its applications, and ${port} is plain text: ${remedy}`,
    };
  }
  if (namesTls) {
    return {
      code: 'UpstreamPlaintext',
      message: `annotations speak of TLS to the application, and ${port} is plain text: ${remedy}`,
    };
  }
  return { protocol };
}
