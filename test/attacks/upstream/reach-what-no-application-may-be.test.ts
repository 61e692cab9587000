// CVE-2021-32783, promise 15: an endpoint on loopback, or the cloud's metadata, is somebody's way to our own ports and keys.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publicAccess, withRig } from '../../proxy/rig.ts';

const refused = [
  '127.0.0.1',
  '127.8.9.10',
  '0.0.0.0',
  '::1',
  '::',
  '::ffff:127.0.0.1',
  '::ffff:a9fe:a9fe',
  '169.254.169.254',
  'fe80::1',
  'fe80::1%lo',
  'fd00:ec2::254',
  '224.0.0.1',
  'ff02::1',
  '255.255.255.255',
  '64:ff9b::7f00:1',
  '::127.0.0.1',
  '100.100.100.200',
  '10.1.2.3',
  '10.20.30.40',
  'localhost',
  'API.invalid',
  '127.1',
  '0x7f.1',
  '2130706433',
];

const spoken = [{ protocol: 'http' }, { protocol: 'https', tls: { serverName: 'u.a.svc' } }] as const;

for (const speaks of spoken) {
  test(`an address that is refused is never connected to (${speaks.protocol})`, () =>
    withRig(
      { proxy: { checkUpstreamAddresses: true, refusedAddresses: ['10.1.2.3', '10.20.0.0/16', 'api.invalid'] } },
      async ({ serve, get, send, upstream, lines }) => {
        for (const address of refused) {
          const route = {
            id: address,
            ingress: { namespace: 'a', name: 'b' },
            path: '/',
            match: 'Prefix',
            access: publicAccess,
            providers: [],
            upstream: { name: 'u', ...speaks, endpoints: [{ address, port: upstream.port }] },
          } as const;
          serve([{ host: 'app.example.com', routes: [route] }]);
          const answer = await get('/', 'Accept: text/html');
          assert.equal(answer.status, 502, address);
          assert.equal(lines.at(-1)?.['outcome'], 'AddressRefused', address);
          const upgrade = await send(
            'GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
          );
          assert.equal(upgrade.status, 502, address);
        }
        assert.equal(upstream.connections(), 0);
      },
    ));
}
