// The listeners: tables that change under traffic, draining, taken addresses, certificates that come and go.
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { Certificate } from '../../src/model/route.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import { createProxy } from '../../src/proxy/server.ts';
import { createLogger, createMetrics } from '../../src/telemetry.ts';
import { certificate, delay, eventually, publicAccess, usualHosts, withRig } from './rig.ts';

test('a taken address is an error in one line that names the flag', async () => {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
  const { port } = squatter.address() as AddressInfo;
  await withRig({}, async ({ authority }) => {
    const options = {
      authority,
      checkUpstreamAddresses: false,
      accessLog: 'all',
      decisionLog: 'none',
      log: createLogger('silent'),
      metrics: createMetrics(),
    } as const;
    for (const flag of ['http', 'https'] as const) {
      const proxy = createProxy({ ...options, [flag]: { host: '127.0.0.1', port } });
      await assert.rejects(proxy.listen(), {
        code: 'EADDRINUSE',
        message: `127.0.0.1:${port} is taken by another process: choose another address with --${flag}`,
      });
      await proxy.close(0);
    }
  });
  squatter.close();
});

test('a table that changes a thousand times under traffic drops nothing', () =>
  withRig({}, async ({ get, serve, upstream }) => {
    const hosts = () =>
      usualHosts((path, access) => ({
        id: path,
        ingress: { namespace: 'a', name: 'b' },
        path,
        match: 'Prefix',
        access,
        providers: [],
        upstream: { name: 'u', protocol: 'http', endpoints: [{ address: '127.0.0.1', port: upstream.port }] },
      }));
    let changes = 0;
    const changing = setInterval(() => {
      for (let times = 0; times < 10; times += 1) serve(hosts());
      changes += 10;
    }, 10);
    const isDone = (): boolean => changes >= 1_000;
    const statuses: number[] = [];
    while (!isDone()) statuses.push((await get('/')).status);
    clearInterval(changing);
    assert.ok(statuses.length > 20);
    assert.ok(statuses.every((status) => status === 200));
    assert.equal((await get('/private', 'Cookie: __Host-sallyport=good')).status, 403);
  }));

test('a request under way keeps the table that it began with', () =>
  withRig(
    {
      settings: { cookieName: 'old' },
      application: (_request, socket) =>
        setTimeout(
          () =>
            socket.write(
              'HTTP/1.1 200 OK\r\nSet-Cookie: __Host-old=x\r\nSet-Cookie: __Host-new=y\r\nContent-Length: 0\r\n\r\n',
            ),
          60,
        ),
    },
    async ({ get, serve }) => {
      const answer = get('/');
      await delay(20);
      serve([], { cookieName: 'new' });
      assert.deepEqual((await answer).all('set-cookie'), ['__Host-new=y']);
      assert.equal((await get('/')).status, 404);
    },
  ));

test('draining lets what is under way finish, takes nothing new, and ends the rest in time', () =>
  withRig(
    {
      application: (request, socket) => {
        if (/websocket/.test(request))
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        else setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood'), 150);
      },
    },
    async ({ get, send, proxy, port }) => {
      const tunnel = connect(port, '127.0.0.1');
      let tunnelClosed = 0;
      tunnel.on('close', () => (tunnelClosed = performance.now()));
      tunnel
        .resume()
        .write('GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      const idle = connect(port, '127.0.0.1').resume();
      let idleClosed = false;
      idle.on('close', () => (idleClosed = true)).on('error', () => undefined);
      const slow = get('/');
      await delay(60);
      const began = performance.now();
      const closed = proxy.close(1_500);
      const answer = await slow;
      assert.equal(answer.body, 'good');
      assert.equal(answer.header('connection'), 'close');
      await assert.rejects(send('GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n'), { code: 'ECONNREFUSED' });
      assert.equal(tunnelClosed, 0);
      await closed;
      await eventually(() => idleClosed && tunnelClosed > 0, 'all are closed');
      assert.ok(tunnelClosed - began >= 1_400);
      assert.ok(performance.now() - began < 3_000);
    },
  ));

test('a new certificate is shown at the next handshake; one that went is not shown again', () => {
  const shown = (port: number, servername: string): Promise<string | undefined> =>
    new Promise((resolve) => {
      const socket = connectTls({ port, host: '127.0.0.1', servername, rejectUnauthorized: false }, () => {
        const { CN } = socket.getPeerCertificate().subject;
        resolve(typeof CN === 'string' ? CN : undefined);
        socket.destroy();
      });
      socket.on('error', () => resolve(undefined));
    });
  const update = (generation: number, own?: Certificate, fallback?: Certificate) => ({
    generation,
    settings: defaultClassSettings,
    changed: [{ host: 'app.example.com', routes: [], ...(own && { certificate: own }) }],
    removed: [],
    ...(fallback && { defaultCertificate: fallback }),
  });
  return withRig({ https: true }, async ({ proxy, httpsPort }) => {
    const cases: readonly [Certificate | undefined, Certificate | undefined, string | undefined, string | undefined][] =
      [
        [undefined, undefined, undefined, undefined],
        [certificate('app.example.com'), undefined, 'app.example.com', undefined],
        [
          certificate('app.example.com'),
          certificate('fallback.example.net'),
          'app.example.com',
          'fallback.example.net',
        ],
        [undefined, certificate('fallback.example.net'), 'fallback.example.net', 'fallback.example.net'],
        [
          certificate('app.example.com'),
          { ...certificate('fallback.example.net'), chain: 'no PEM' },
          'app.example.com',
          undefined,
        ],
        [undefined, undefined, undefined, undefined],
      ];
    for (const [at, [own, fallback, named, unnamed]] of cases.entries()) {
      proxy.update(update(at + 10, own, fallback));
      assert.equal(await shown(httpsPort, 'app.example.com'), named, `case ${at}`);
      assert.equal(await shown(httpsPort, ''), unnamed, `case ${at}, without a name`);
    }
  });
});

test('only denials are logged where only these are wanted, and nothing where nothing is', async () => {
  for (const [accessLog, expected] of [
    ['denied', ['Refused']],
    ['none', []],
  ] as const) {
    await withRig({ proxy: { accessLog } }, async ({ get, lines, metrics }) => {
      await get('/');
      await get('/engineers');
      await get('/engineers', 'Cookie: __Host-sallyport=good');
      await delay(30);
      const outcomes = lines.map(({ outcome }) => outcome);
      assert.deepEqual(outcomes, accessLog === 'denied' ? ['InsecureTransport'] : expected);
      const counted = (await metrics.requests.get()).values.map(({ labels, value }) => [labels.outcome, value]);
      assert.deepEqual(counted, [
        ['Forwarded', 2],
        ['InsecureTransport', 1],
      ]);
    });
  }
});

test('a host without routes of its own, and the default for hosts that nobody claims', () =>
  withRig({ hosts: (to) => [{ host: '', routes: [to('/', publicAccess)] }] }, async ({ get }) => {
    assert.equal((await get('/', 'Host: anything.example')).status, 200);
    assert.equal((await get('/', 'Host: 127.0.0.1')).status, 200);
    assert.equal((await get('/', 'Host: [::1]')).status, 200);
  }));
