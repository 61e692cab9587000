// TLS towards clients: what each sort of client is shown or refused, whose host a connection may ask for, and what a class changes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { HostRoutes } from '../../src/model/route.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import { certificate, engineersAccess, publicAccess, withRig } from './rig.ts';
import type { RouteMaker } from './rig.ts';

interface Shaken {
  /** The names of the certificate shown, or why there was none. */
  readonly shown: string;
  readonly version: string | null;
  readonly cipher: string | undefined;
}

function shake(port: number, options: ConnectionOptions): Promise<Shaken> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
      const { subjectaltname: shown = '' } = socket.getPeerCertificate();
      resolve({ shown, version: socket.getProtocol(), cipher: socket.getCipher().standardName });
      socket.destroy();
    });
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) =>
      resolve({ shown: code, version: null, cipher: undefined }),
    );
  });
}

const hosts = (to: RouteMaker): readonly HostRoutes[] => [
  { host: 'app.example.com', routes: [to('/', engineersAccess)], certificate: certificate('app.example.com') },
  { host: '*.example.org', routes: [to('/', publicAccess)], certificate: certificate('wildcard.example.org') },
  { host: 'plain.example.com', routes: [to('/', publicAccess)] },
];
const refused = 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE';

describe('a handshake', () => {
  const names = ['app.example.com', 'a.example.org', 'plain.example.com', 'nobody.example.net', ''];

  test('without a default certificate shows each host its own, and refuses the rest with an alert', () =>
    withRig({ https: true, hosts }, async ({ httpsPort }) => {
      const shown = await Promise.all(names.map(async (servername) => (await shake(httpsPort, { servername })).shown));
      assert.deepEqual(shown, ['DNS:app.example.com', 'DNS:*.example.org', refused, refused, refused]);
    }));

  test('with a default certificate shows that to the rest', () =>
    withRig({ https: true, hosts, defaultCertificate: certificate('fallback.example.net') }, async ({ httpsPort }) => {
      const shown = await Promise.all(names.map(async (servername) => (await shake(httpsPort, { servername })).shown));
      const rest = 'DNS:fallback.example.net';
      assert.deepEqual(shown, ['DNS:app.example.com', 'DNS:*.example.org', rest, rest, rest]);
    }));
});

describe('a connection under the name of one host that asks for another', () => {
  const ask = (host: string) => `GET / HTTP/1.1\r\nHost: ${host}\r\nAccept: */*\r\n\r\n`;
  const tls = { servername: 'a.example.org' };

  test('is answered as the other’s own connection is, where both can be had over TLS', () =>
    withRig({ https: true, hosts }, async ({ send }) => {
      assert.equal((await send(ask('a.example.org'), { tls })).status, 200);
      assert.equal((await send(ask('b.example.org'), { tls })).status, 200);
      assert.equal(
        (await send(ask('app.example.com'), { tls })).status,
        401,
        'the policy is that of the host asked for',
      );
    }));

  test('is told 421 where the other has no certificate, as its own would be refused', () =>
    withRig({ https: true, hosts }, async ({ send, get, upstream }) => {
      assert.equal((await send(ask('plain.example.com'), { tls })).status, 421);
      assert.equal(upstream.requests.length, 0);
      assert.equal((await get('/', 'Host: plain.example.com')).status, 200, 'and over plain http it is served');
    }));

  test('is told 404 where the other is nobody’s', () =>
    withRig({ https: true, hosts }, async ({ send }) => {
      assert.equal((await send(ask('nobody.example.net'), { tls })).status, 404);
    }));

  test('is answered for all, where the class has a certificate for all', () =>
    withRig({ https: true, hosts, defaultCertificate: certificate('fallback.example.net') }, async ({ send }) => {
      assert.equal((await send(ask('plain.example.com'), { tls })).status, 200);
      assert.equal((await send(ask('plain.example.com'), { tls: { servername: '' } })).status, 200);
    }));

  test('is told 421 on a connection that stands, once the other’s certificate is gone', () =>
    withRig({ https: true, hosts }, async ({ httpsPort, serve }) => {
      const socket = connect({ port: httpsPort, host: '127.0.0.1', rejectUnauthorized: false, ...tls });
      const answer = async () => {
        socket.write(ask('b.example.org'));
        const [line] = String(await new Promise((resolve) => socket.once('data', resolve))).split('\r\n');
        return line;
      };
      assert.equal(await answer(), 'HTTP/1.1 200 OK');
      serve([{ host: '*.example.org', routes: [] }]);
      assert.equal(await answer(), 'HTTP/1.1 421 Misdirected Request');
      socket.destroy();
    }));
});

describe('what a class says of TLS', () => {
  const of = (version: 'TLSv1.2' | 'TLSv1.3', servername = 'app.example.com') => ({
    servername,
    minVersion: version,
    maxVersion: version,
  });
  const { ciphers } = defaultClassSettings.tls;

  test('is by default 1.2 and newer, with forward secrecy and authenticated encryption alone', () =>
    withRig({ https: true, hosts }, async ({ httpsPort }) => {
      assert.equal((await shake(httpsPort, of('TLSv1.2'))).version, 'TLSv1.2');
      assert.equal((await shake(httpsPort, of('TLSv1.3'))).version, 'TLSv1.3');
      const old = await shake(httpsPort, { ...of('TLSv1.2'), ciphers: 'ECDHE-ECDSA-AES128-SHA256:AES128-GCM-SHA256' });
      assert.equal(old.version, null);
    }));

  test('holds from the next handshake on, also for who names no host, and back', () =>
    withRig({ https: true, defaultCertificate: certificate('fallback.example.net') }, async ({ httpsPort, serve }) => {
      let to: readonly HostRoutes[] = [
        { host: 'app.example.com', routes: [], certificate: certificate('app.example.com') },
      ];
      serve(to);
      const versions = async () => [
        (await shake(httpsPort, of('TLSv1.2'))).version,
        (await shake(httpsPort, of('TLSv1.2', ''))).version,
        (await shake(httpsPort, of('TLSv1.3'))).version,
        (await shake(httpsPort, of('TLSv1.3', ''))).version,
      ];
      assert.deepEqual(await versions(), ['TLSv1.2', 'TLSv1.2', 'TLSv1.3', 'TLSv1.3']);
      serve(to, { tls: { minVersion: 'TLSv1.3', ciphers } });
      assert.deepEqual(await versions(), [null, null, 'TLSv1.3', 'TLSv1.3']);
      serve(to, { tls: { minVersion: 'TLSv1.2', ciphers: ['ECDHE-ECDSA-CHACHA20-POLY1305'] } });
      assert.deepEqual(await versions(), ['TLSv1.2', 'TLSv1.2', 'TLSv1.3', 'TLSv1.3'], 'ciphers of 1.2 alone');
      assert.equal((await shake(httpsPort, of('TLSv1.2'))).cipher, 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256');
      serve(to, { tls: { minVersion: 'TLSv1.2', ciphers: ['TLS_AES_256_GCM_SHA384'] } });
      assert.deepEqual(await versions(), [null, null, 'TLSv1.3', 'TLSv1.3'], 'ciphers of 1.3 alone');
      assert.equal((await shake(httpsPort, of('TLSv1.3'))).cipher, 'TLS_AES_256_GCM_SHA384');
      serve(to);
      assert.deepEqual(await versions(), ['TLSv1.2', 'TLSv1.2', 'TLSv1.3', 'TLSv1.3']);
    }));

  test('ends no connection that stands', () =>
    withRig({ https: true, hosts }, async ({ httpsPort, serve }) => {
      const socket = connect({ port: httpsPort, host: '127.0.0.1', rejectUnauthorized: false, ...of('TLSv1.2') });
      await new Promise((resolve) => socket.once('secureConnect', resolve));
      serve([{ host: 'app.example.com', routes: [], certificate: certificate('app.example.com') }], {
        tls: { minVersion: 'TLSv1.3', ciphers },
      });
      socket.write('GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n');
      const answer = await new Promise((resolve) => socket.once('data', resolve));
      assert.match(String(answer), /^HTTP\/1\.1 404 /);
      socket.destroy();
    }));
});
