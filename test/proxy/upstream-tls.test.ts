// Applications over TLS: whom they must prove to be, what we prove to them, and that no connection serves two identities.
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { Redacted } from '../../src/model/diagnostic.ts';
import type { HostRoutes, UpstreamTls } from '../../src/model/route.ts';
import { certificate, eventually, publicAccess, sendTo, withRig } from './rig.ts';
import type { Rig } from './rig.ts';

interface Application {
  readonly port: number;
  /** Connections that stood, the name that was asked for, and whether a TLS session was resumed. */
  readonly connections: { readonly serverName: string; readonly resumed: boolean }[];
}

const own = certificate('app.example.com');

/** An application that answers with the name in the certificate that it was shown; `/stream` begins, and never ends. */
async function withApplication(run: (application: Application) => Promise<void>): Promise<void> {
  const options = { cert: own.chain, key: own.key.reveal(), requestCert: true, rejectUnauthorized: false };
  const server: Server = createServer(options, (request, response) => {
    const shown = request.socket instanceof TLSSocket ? request.socket.getPeerCertificate().subject?.CN : undefined;
    if (request.url === '/stream') response.write(`shown ${String(shown ?? 'nothing')}\n`);
    else response.end(`shown ${String(shown ?? 'nothing')}`);
  });
  const connections: Application['connections'] = [];
  const sockets = new Set<Socket>();
  server.on('secureConnection', (socket) => {
    connections.push({ serverName: String(socket.servername), resumed: socket.isSessionReused() });
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await run({ port: (server.address() as AddressInfo).port, connections });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** A host for each identity, all of one application. */
function hostsFor(port: number, identities: Readonly<Record<string, UpstreamTls>>): readonly HostRoutes[] {
  return Object.entries(identities).map(([host, tls]) => ({
    host,
    routes: [
      {
        id: host,
        ingress: { namespace: 'shop', name: 'app' },
        path: '/',
        match: 'Prefix',
        access: publicAccess,
        providers: [],
        upstream: { name: 'shop/app:443', protocol: 'https', tls, endpoints: [{ address: '127.0.0.1', port }] },
      },
    ],
  }));
}

async function ask({ get }: Rig, host: string): Promise<string> {
  const { status, body } = await get('/', `Host: ${host}`);
  return status === 200 ? body.replaceAll(/[\r\n0-9a-f]*\r\n/g, '') : String(status);
}

const proven = { serverName: 'app.example.com', ca: own.chain } as const;
const [red, blue] = [certificate('wildcard.example.org'), certificate('fallback.example.net')];

test('an application proves its name to the authority that is named, and is told who we are', () =>
  withApplication(({ port }) =>
    withRig({}, async (rig) => {
      rig.serve(
        hostsFor(port, {
          'plain.example': proven,
          'red.example': { ...proven, clientCertificate: red },
          'other-authority.example': { ...proven, ca: red.chain },
          'other-name.example': { ...proven, serverName: 'b.example.com' },
          'no-authority.example': { serverName: 'app.example.com' },
          'unverified.example': { serverName: 'whatever.example', verify: false },
        }),
      );
      assert.match(await ask(rig, 'plain.example'), /shown nothing/);
      assert.match(await ask(rig, 'red.example'), /shown \*\.example\.org/);
      for (const host of ['other-authority.example', 'other-name.example', 'no-authority.example']) {
        assert.equal(await ask(rig, host), '502', host);
      }
      assert.match(await ask(rig, 'unverified.example'), /shown nothing/);
    }),
  ));

test('a connection of one identity never serves another, and none resumes the session of another', () =>
  withApplication(({ port, connections }) =>
    withRig({}, async (rig) => {
      const identities = {
        'nobody.example': proven,
        'red.example': { ...proven, clientCertificate: red },
        'blue.example': { ...proven, clientCertificate: blue },
        'unverified.example': { ...proven, verify: false },
        'two-authorities.example': { ...proven, ca: `${own.chain}${red.chain}` },
      } as const;
      rig.serve(hostsFor(port, identities));
      // One after the other, so that a connection of the one before would be free; then in another order.
      const hosts = Object.keys(identities);
      const first: string[] = [];
      for (const host of hosts) first.push(await ask(rig, host));
      const again: string[] = [];
      for (const host of hosts.toReversed()) again.push(await ask(rig, host));
      assert.deepEqual(again.toReversed(), first);
      assert.equal(new Set(first).size, 3, first.join());
      assert.equal(connections.length, 5);
      assert.ok(connections.every(({ resumed, serverName }) => !resumed && serverName === 'app.example.com'));
    }),
  ));

test('what says the same is the same identity, whichever route says it', () =>
  withApplication(({ port, connections }) =>
    withRig({}, async (rig) => {
      const same = (): UpstreamTls => ({
        ...proven,
        clientCertificate: { ...red, key: new Redacted(red.key.reveal()) },
      });
      rig.serve(hostsFor(port, { 'a.example': same(), 'b.example': same() }));
      assert.equal(await ask(rig, 'a.example'), await ask(rig, 'b.example'));
      assert.equal(connections.length, 1);
    }),
  ));

test('a new certificate drops nothing: what is under way lives on, and what begins is told of the new one', () =>
  withApplication(({ port, connections }) =>
    withRig({}, async (rig) => {
      rig.serve(hostsFor(port, { 'a.example': { ...proven, clientCertificate: red } }));
      let isOver = false;
      const streaming = sendTo(rig.port, 'GET /stream HTTP/1.1\r\nHost: a.example\r\n\r\n', { forMs: 700 }).then(
        (answer) => {
          isOver = true;
          return answer;
        },
      );
      await eventually(() => connections.length === 1, 'the stream has begun');
      const before = await ask(rig, 'a.example');
      rig.serve(hostsFor(port, { 'a.example': { ...proven, clientCertificate: blue } }));
      const after = await ask(rig, 'a.example');
      assert.notEqual(after, before);
      assert.equal(connections.length, 3);
      assert.equal(isOver, false);
      const { status, body } = await streaming;
      assert.equal(status, 200);
      assert.match(body, /shown \*\.example\.org/);
      assert.doesNotMatch(body, /0\r\n\r\n$/);
      assert.ok(rig.lines.every(({ outcome }) => outcome !== 'UpstreamBroke'));
    }),
  ));

test('a certificate that OpenSSL will not use costs the requests of its own route alone', () =>
  withApplication(({ port }) =>
    withRig({}, async (rig) => {
      const mismatched = { ...red, key: blue.key };
      rig.serve(
        hostsFor(port, { 'bad.example': { ...proven, clientCertificate: mismatched }, 'good.example': proven }),
      );
      assert.equal(await ask(rig, 'bad.example'), '502');
      assert.match(await ask(rig, 'good.example'), /shown/);
    }),
  ));
