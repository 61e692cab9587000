// CVE-2026-21637: whatever a server name made a callback throw took the process down.
import assert from 'node:assert/strict';
import { connect as connectRaw } from 'node:net';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { certificate, publicAccess, withRig } from '../../proxy/rig.ts';

/** A TLS 1.2 ClientHello with any bytes at all for a server name: no client library would send these. */
function hello(name: Buffer): Buffer {
  const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
  const entry = Buffer.concat([Buffer.from([0]), u16(name.length), name]);
  const sni = Buffer.concat([u16(0), u16(entry.length + 2), u16(entry.length), entry]);
  const groups = Buffer.from('000a00040002001700 0d00060004040308 04'.replaceAll(' ', ''), 'hex');
  const body = Buffer.concat([
    Buffer.from('0303', 'hex'),
    Buffer.alloc(32, 7),
    Buffer.from('000004c02bc02f0100', 'hex'),
    u16(sni.length + groups.length),
    sni,
    groups,
  ]);
  const handshake = Buffer.concat([Buffer.from([1, 0]), u16(body.length), body]);
  return Buffer.concat([Buffer.from('160301', 'hex'), u16(handshake.length), handshake]);
}

/** The kind of the first record that came: 22 a ServerHello, 21 an alert; 0 where there was none. */
function firstRecord(port: number, bytes: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const socket = connectRaw(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('error', () => resolve(0));
    socket.once('data', (chunk: Buffer) => {
      resolve(chunk[0] ?? 0);
      socket.destroy();
    });
    socket.once('close', () => resolve(0));
  });
}

const names = [
  '',
  '.',
  '..',
  'a'.repeat(300),
  'app.example.com\0.evil',
  '\0',
  '\xff\xfe',
  '*.example.org',
  '127.0.0.1',
  '[::1]',
  '-a.example.org',
  'unknown.example.com',
  '__proto__',
  'constructor',
  `${'a.'.repeat(120)}example.org`,
];

test('no server name crashes the proxy; one that nobody serves gets an alert', () =>
  withRig(
    {
      https: true,
      hosts: (to) => [
        { host: 'app.example.com', routes: [to('/', publicAccess)], certificate: certificate('app.example.com') },
      ],
    },
    async ({ httpsPort, send, proxy }) => {
      for (const name of names) {
        assert.notEqual(await firstRecord(httpsPort, hello(Buffer.from(name, 'latin1'))), 22, JSON.stringify(name));
      }
      assert.equal(await firstRecord(httpsPort, hello(Buffer.from('unknown.example.com'))), 21);
      assert.equal(await firstRecord(httpsPort, hello(Buffer.from('app.example.com'))), 22);
      const answer = await send('GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n', {
        tls: { servername: 'app.example.com' },
      });
      assert.equal(answer.status, 200);
      assert.equal(proxy.table.hosts.size, 1);
    },
  ));

test('a certificate that cannot be used costs its own host alone', () =>
  withRig(
    {
      https: true,
      hosts: (to) => [
        {
          host: 'broken.example.com',
          routes: [to('/', publicAccess)],
          certificate: { ...certificate('app.example.com'), key: certificate('wildcard.example.org').key },
        },
        { host: 'app.example.com', routes: [to('/', publicAccess)], certificate: certificate('app.example.com') },
      ],
    },
    async ({ httpsPort, lines }) => {
      const shake = (servername: string): Promise<boolean> =>
        new Promise((resolve) => {
          const socket = connect({ port: httpsPort, host: '127.0.0.1', servername, rejectUnauthorized: false }, () => {
            socket.destroy();
            resolve(true);
          });
          socket.on('error', () => resolve(false));
        });
      assert.equal(await shake('broken.example.com'), false);
      assert.equal(await shake('app.example.com'), true);
      assert.ok(lines.some(({ msg }) => msg === 'certificate cannot be used'));
      assert.ok(lines.every((line) => !JSON.stringify(line).includes('PRIVATE')));
    },
  ));
