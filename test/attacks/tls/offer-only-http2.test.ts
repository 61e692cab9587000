// What we do not speak is refused in the handshake, never guessed at (RFC 7301 §3.2).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { certificate, publicAccess, withRig } from '../../proxy/rig.ts';

test('a client that speaks only HTTP/2 gets an alert, one that speaks both HTTP/1.1', () =>
  withRig(
    {
      https: true,
      hosts: (to) => [
        { host: 'app.example.com', routes: [to('/', publicAccess)], certificate: certificate('app.example.com') },
      ],
    },
    async ({ httpsPort }) => {
      const shake = (ALPNProtocols: string[]): Promise<string | false | null> =>
        new Promise((resolve) => {
          const socket = connect(
            {
              port: httpsPort,
              host: '127.0.0.1',
              servername: 'app.example.com',
              rejectUnauthorized: false,
              ALPNProtocols,
            },
            () => {
              resolve(socket.alpnProtocol);
              socket.destroy();
            },
          );
          socket.on('error', () => resolve(null));
        });
      assert.equal(await shake(['h2', 'http/1.1']), 'http/1.1');
      assert.equal(await shake(['h2']), null);
    },
  ));
