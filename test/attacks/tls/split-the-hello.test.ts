// CVE-2026-32305: a ClientHello in many small pieces was not understood, and a weaker default took over.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { certificate, engineersAccess, withRig } from '../../proxy/rig.ts';

/** Sends each byte on its own. */
function byByte(socket: Socket): Duplex {
  const split = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      let at = 0;
      const next = (): void => {
        if (at === chunk.length) return done();
        socket.write(chunk.subarray(at, at + 1), () => setImmediate(next));
        at += 1;
      };
      next();
    },
  });
  socket.on('data', (chunk) => split.push(chunk));
  socket.on('close', () => split.push(null));
  return split;
}

test('a hello in pieces of one byte gets the certificate and the policy of its host', () =>
  withRig(
    {
      https: true,
      defaultCertificate: certificate('fallback.example.net'),
      hosts: (to) => [
        { host: 'app.example.com', routes: [to('/', engineersAccess)], certificate: certificate('app.example.com') },
      ],
    },
    async ({ httpsPort }) => {
      const raw = connect(httpsPort, '127.0.0.1');
      raw.setNoDelay(true);
      const socket = connectTls({ socket: byByte(raw), servername: 'app.example.com', rejectUnauthorized: false });
      await new Promise((resolve) => socket.once('secureConnect', resolve));
      assert.equal(socket.getPeerCertificate().subject.CN, 'app.example.com');
      socket.write('GET / HTTP/1.1\r\nHost: app.example.com\r\nAccept: */*\r\n\r\n');
      const chunk = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
      assert.match(chunk.toString(), /^HTTP\/1\.1 401 /);
      raw.destroy();
    },
  ));
