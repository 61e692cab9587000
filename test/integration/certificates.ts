// Certificates for tests: an authority of our own, and what it signs, by openssl.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateAuthority {
  /** PEM, for clients to trust. */
  readonly ca: string;
  sign(...names: readonly string[]): Pair;
  close(): void;
}

export function createCertificateAuthority(): CertificateAuthority {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-ca-'));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => void execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=test', '-keyout', at('ca.key'), '-out', at('ca.pem'));
  let count = 0;
  return {
    ca: readFileSync(at('ca.pem'), 'utf8'),
    sign(...names) {
      count += 1;
      const [key, request, certificate, extensions] = ['key', 'csr', 'pem', 'ext'].map((end) =>
        at(`${count}.${end}`),
      ) as [string, string, string, string];
      writeFileSync(extensions, `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}\n`);
      openssl('req', ...newKey, '-subj', '/CN=test leaf', '-keyout', key, '-out', request);
      openssl(
        'x509',
        '-req',
        '-in',
        request,
        '-CA',
        at('ca.pem'),
        '-CAkey',
        at('ca.key'),
        '-CAcreateserial',
        '-days',
        '1',
        '-extfile',
        extensions,
        '-out',
        certificate,
      );
      return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A `kubernetes.io/tls` Secret, as YAML. */
export function tlsSecret(namespace: string, name: string, { certificate, key }: Pair): string {
  const encode = (text: string) => Buffer.from(text).toString('base64');
  return `
---
apiVersion: v1
kind: Secret
metadata: {name: ${name}, namespace: ${namespace}}
type: kubernetes.io/tls
data: {tls.crt: ${encode(certificate)}, tls.key: ${encode(key)}}
`;
}
