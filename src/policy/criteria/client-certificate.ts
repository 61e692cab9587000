// clientCertificate: what the client has shown in the TLS handshake.
import type { Criterion } from '../../model/criteria.ts';
import type { ClientCertificate } from '../../model/verdict.ts';
import { compileTexts, isNegative } from '../text.ts';
import { truthOf } from '../truth.ts';
import type { Compiling, Judge, Truth } from '../truth.ts';

type Test = (certificate: ClientCertificate, now: number) => Truth;

/** A client without a certificate is a missing value: it meets no positive matcher, and a negative one counts against it. */
export function compileClientCertificate(
  value: NonNullable<Criterion['clientCertificate']>,
  compiling: Compiling,
): Judge | undefined {
  const test = compileTest(value, compiling);
  if (test === undefined) return undefined;
  const { sanEmail, sanDns, sanUri } = value;
  const missing = [sanEmail, sanDns, sanUri].some((one) => one && isNegative(one)) ? compiling.against : 0;
  return {
    judge: ({ clientCertificate, now }) => (clientCertificate ? test(clientCertificate, now) : missing),
    reason: (yes, { clientCertificate }) => {
      if (clientCertificate === undefined) return 'client-certificate-required';
      return yes ? 'client-certificate-ok' : 'client-certificate-unauthorized';
    },
    see: ({ clientCertificate }) => clientCertificate,
  };
}

function compileTest(
  { fingerprint, spkiHash, sanEmail, sanDns, sanUri }: NonNullable<Criterion['clientCertificate']>,
  compiling: Compiling,
): Test | undefined {
  if (fingerprint !== undefined) {
    const wanted = new Set(fingerprint.map((one) => one.replaceAll(':', '').toLowerCase()));
    return (certificate) => truthOf(wanted.has(certificate.fingerprint));
  }
  if (spkiHash !== undefined) {
    const wanted = new Set(spkiHash);
    return (certificate) => truthOf(wanted.has(certificate.spkiHash));
  }
  const named = (matcher: typeof sanEmail, namesOf: (certificate: ClientCertificate) => readonly string[]) => {
    const test = matcher && compileTexts(matcher, isNegative(matcher), compiling);
    return test && ((certificate: ClientCertificate, now: number) => test(namesOf(certificate), now));
  };
  return (
    named(sanEmail, ({ sanEmails }) => sanEmails) ??
    named(sanDns, ({ sanDnsNames }) => sanDnsNames) ??
    named(sanUri, ({ sanUris }) => sanUris)
  );
}
