// Certificates with keys of every kind that authorities sign, and what stands between them and a root: shown in real handshakes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import { Redacted } from '../../src/model/diagnostic.ts';
import type { Certificate } from '../../src/model/route.ts';
import { publicAccess, withRig } from '../proxy/rig.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-keys-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(at(name), 'utf8');
const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });

const kinds = {
  RSA: ['rsa:2048'],
  'ECDSA P-256': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'ECDSA P-384': ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  Ed25519: ['ed25519'],
};

/** A leaf, behind an intermediate authority, behind a root that clients trust: all with keys of one kind. */
function issue(kind: readonly string[]): { readonly certificate: Certificate; readonly ca: string } {
  const make = (name: string, issuer: string | undefined, extension: string) =>
    openssl(
      ...['req', '-x509', '-nodes', '-days', '2', '-newkey'].concat(kind, '-subj', `/CN=${name}`, '-addext', extension),
      ...(issuer === undefined ? [] : ['-CA', at(`${issuer}.pem`), '-CAkey', at(`${issuer}.key`)]),
      '-keyout',
      at(`${name}.key`),
      '-out',
      at(`${name}.pem`),
    );
  make('root', undefined, 'keyUsage=keyCertSign');
  make('intermediate', 'root', 'keyUsage=keyCertSign');
  make('leaf', 'intermediate', 'subjectAltName=DNS:app.example.com');
  const chain = read('leaf.pem') + read('intermediate.pem');
  const certificate = { name: 'default/leaf', chain, key: new Redacted(read('leaf.key')), expiresAt: Infinity };
  return { certificate, ca: read('root.pem') };
}

for (const [name, kind] of Object.entries(kinds)) {
  test(`a client that trusts the root alone takes a chain with ${name} keys, in both versions of TLS`, () => {
    const { certificate, ca } = issue(kind);
    return withRig(
      { https: true, hosts: (to) => [{ host: 'app.example.com', routes: [to('/', publicAccess)], certificate }] },
      async ({ httpsPort }) => {
        for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
          const versions = { minVersion: version, maxVersion: version };
          const socket = connect({
            port: httpsPort,
            host: '127.0.0.1',
            servername: 'app.example.com',
            ca,
            ...versions,
          });
          await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
          assert.deepEqual([socket.authorized, socket.getProtocol()], [true, version]);
          socket.destroy();
        }
      },
    );
  });
}
