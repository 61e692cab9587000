// CVE-2026-50149: without a server name the policy of the host was skipped. The host is what Host says, whatever TLS said.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { certificate, engineersAccess, publicAccess, withRig } from '../../proxy/rig.ts';

test('the policy is that of the host asked for, under any server name or none', () =>
  withRig(
    {
      https: true,
      defaultCertificate: certificate('fallback.example.net'),
      hosts: (to) => [
        { host: 'app.example.com', routes: [to('/', engineersAccess)], certificate: certificate('app.example.com') },
        { host: 'a.example.org', routes: [to('/', publicAccess)], certificate: certificate('wildcard.example.org') },
      ],
    },
    async ({ send, httpsPort, upstream }) => {
      for (const servername of ['', 'a.example.org', 'nobody.example.com']) {
        const answer = await send('GET / HTTP/1.1\r\nHost: app.example.com\r\nAccept: */*\r\n\r\n', {
          tls: { servername },
        });
        assert.equal(answer.status, 401, servername);
      }
      assert.equal(upstream.requests.length, 0);
      const socket = connect({ port: httpsPort, host: '127.0.0.1', servername: '', rejectUnauthorized: false });
      await new Promise((resolve) => socket.once('secureConnect', resolve));
      assert.equal(socket.getPeerCertificate().subject.CN, 'fallback.example.net');
      socket.destroy();
    },
  ));
