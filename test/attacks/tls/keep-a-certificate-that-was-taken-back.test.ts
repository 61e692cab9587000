// CVE-2020-9321: a certificate that had been replaced, or taken away, went on being shown.
import assert from 'node:assert/strict';
import { connect } from 'node:tls';
import { test } from 'node:test';
import type { Certificate } from '../../../src/model/route.ts';
import { certificate, publicAccess, withRig } from '../../proxy/rig.ts';
import type { RouteMaker } from '../../proxy/rig.ts';

/** The names in the certificate that a client is shown; undefined where the handshake is refused. */
function shown(port: number, servername: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subjectaltname);
      socket.destroy();
    });
    socket.once('error', () => resolve(undefined));
  });
}

test('the next handshake shows what the table holds now', () => {
  let to: RouteMaker | undefined;
  const hostsWith = (pair?: Certificate) => [
    { host: 'app.example.com', routes: to ? [to('/', publicAccess)] : [], ...(pair && { certificate: pair }) },
  ];
  const first = certificate('app.example.com');
  return withRig(
    {
      https: true,
      hosts: (routeTo) => {
        to = routeTo;
        return hostsWith(first);
      },
    },
    async ({ httpsPort, serve }) => {
      assert.match((await shown(httpsPort, 'app.example.com')) ?? '', /app\.example\.com/);
      serve(hostsWith(certificate('wildcard.example.org')));
      assert.match((await shown(httpsPort, 'app.example.com')) ?? '', /example\.org/);
      serve(hostsWith());
      assert.equal(await shown(httpsPort, 'app.example.com'), undefined);
      serve(hostsWith(first));
      assert.match((await shown(httpsPort, 'app.example.com')) ?? '', /app\.example\.com/);
    },
  );
});
