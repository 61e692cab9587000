// CVE-2018-1002102, promise 15: a name that led outside when somebody looked leads to our own ports when we connect.
import assert from 'node:assert/strict';
import dns from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, test } from 'node:test';
import type { Upstream } from '../../../src/model/route.ts';
import { certificate, delay, publicAccess, withRig } from '../../proxy/rig.ts';
import type { Rig } from '../../proxy/rig.ts';

const systemLookup = dns.lookup;

type Answer = (error: Error | null, addresses: LookupAddress[]) => void;

/** Has names lead where `addresses` says, asked anew each time. */
function resolveTo(addresses: () => readonly string[]): void {
  const lookup = (_name: string, _options: unknown, answer: Answer): void =>
    answer(
      null,
      addresses().map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  Object.assign(dns, { lookup });
  syncBuiltinESMExports();
}

afterEach(() => {
  Object.assign(dns, { lookup: systemLookup });
  syncBuiltinESMExports();
});

function serveName({ serve }: Rig, protocol: Upstream['protocol'], port: number): void {
  const endpoints = [{ address: 'api.example.net', port }];
  const name = 'shop/api:80';
  const upstream: Upstream =
    protocol === 'https'
      ? { name, protocol, tls: { serverName: 'app.example.com', ca: certificate('app.example.com').chain }, endpoints }
      : { name, protocol, endpoints };
  const route = {
    id: 'a',
    ingress: { namespace: 'shop', name: 'api' },
    path: '/',
    match: 'Prefix',
    access: publicAccess,
    providers: [],
    upstream,
  } as const;
  serve([{ host: 'app.example.com', routes: [route] }]);
}

const inside = [
  ['127.0.0.1'],
  ['169.254.169.254'],
  ['::1'],
  ['::ffff:127.0.0.1'],
  ['10.9.8.7'],
  ['192.0.2.1', '127.0.0.1'],
];

for (const protocol of ['http', 'https', 'h2c'] as const) {
  test(`a name that leads inside is not followed (${protocol})`, () =>
    withRig({ proxy: { checkUpstreamAddresses: true, refusedAddresses: ['10.9.8.0/24'] } }, async (rig) => {
      for (const addresses of inside) {
        resolveTo(() => addresses);
        serveName(rig, protocol, rig.upstream.port);
        assert.equal((await rig.get('/')).status, 502, addresses.join());
        assert.equal(rig.lines.at(-1)?.['outcome'], 'AddressRefused', addresses.join());
      }
      assert.equal(rig.upstream.connections(), 0);
    }));
}

test('a name that changes is resolved at each connect, and refused from the moment on that it leads inside', async () => {
  // A documentation address cannot be connected to: what leads there is told from what is refused by how it fails.
  const outside = '192.0.2.1';
  let address = outside;
  let asked = 0;
  const settings = { timeouts: { firstByteMs: 1_000, connectMs: 200, idleMs: 1_000 } };
  await withRig({ settings, proxy: { checkUpstreamAddresses: true } }, async (rig) => {
    resolveTo(() => {
      asked += 1;
      return [address];
    });
    serveName(rig, 'http', rig.upstream.port);
    assert.ok((await rig.get('/')).status >= 502);
    assert.notEqual(rig.lines.at(-1)?.['outcome'], 'AddressRefused');
    address = '127.0.0.1';
    assert.equal((await rig.get('/')).status, 502);
    assert.equal(rig.lines.at(-1)?.['outcome'], 'AddressRefused');
    assert.equal(asked, 2);
    assert.equal(rig.upstream.connections(), 0);
  });
});

test('a name that moves is followed at the next connect, to wherever it leads now', () =>
  withRig({}, async (rig) => {
    let address = '127.0.0.1';
    resolveTo(() => [address]);
    serveName(rig, 'http', rig.upstream.port);
    assert.equal((await rig.get('/')).status, 200);
    for (const socket of rig.upstream.sockets) socket.destroy();
    await delay(50);
    // Nobody listens there.
    address = '127.0.0.2';
    assert.equal((await rig.get('/')).status, 502);
    address = '127.0.0.1';
    assert.equal((await rig.get('/')).status, 200);
    assert.equal(rig.upstream.requests.length, 2);
  }));
