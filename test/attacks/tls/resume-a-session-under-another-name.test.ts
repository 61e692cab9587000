// CVE-2025-23419, CVE-2026-48934: a resumed session skipped the choice of certificate and what hangs on it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'node:tls';
import type { SecureVersion } from 'node:tls';
import { certificate, delay, publicAccess, withRig } from '../../proxy/rig.ts';

for (const version of ['TLSv1.2', 'TLSv1.3'] satisfies SecureVersion[]) {
  test(`no session is resumed, under another name or its own (${version})`, () =>
    withRig(
      {
        https: true,
        hosts: (to) => [
          { host: 'app.example.com', routes: [to('/', publicAccess)], certificate: certificate('app.example.com') },
          { host: 'a.example.org', routes: [to('/', publicAccess)], certificate: certificate('wildcard.example.org') },
        ],
      },
      async ({ httpsPort }) => {
        const shake = async (
          servername: string,
          session?: Buffer,
        ): Promise<{ reused: boolean; session: Buffer | undefined }> => {
          const socket = connect({
            port: httpsPort,
            host: '127.0.0.1',
            servername,
            rejectUnauthorized: false,
            minVersion: version,
            maxVersion: version,
            ...(session && { session }),
          });
          let ticket: Buffer | undefined;
          socket.on('session', (given) => (ticket = given));
          await new Promise((resolve, reject) => {
            socket.once('secureConnect', resolve);
            socket.once('error', reject);
          });
          socket.write('GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n');
          await delay(60);
          const reused = socket.isSessionReused();
          socket.destroy();
          return { reused, session: ticket ?? socket.getSession() };
        };
        const { session } = await shake('app.example.com');
        assert.equal((await shake('app.example.com', session)).reused, false);
        assert.equal((await shake('a.example.org', session)).reused, false);
      },
    ));
}
