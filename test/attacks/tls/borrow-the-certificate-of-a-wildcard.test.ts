// Promise 14: a tenant's host below another tenant's wildcard would have been vouched for by that other's certificate.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { translate } from '../../../src/translate/translate.ts';
import { withRig } from '../../proxy/rig.ts';
import { inventoryOf } from '../../translate/inventory.ts';

const folder = new URL('../../translate/', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, folder), 'utf8');
const world = `${read('cluster.yaml')}\n---\n${read('a-wildcard-certificate-is-not-lent-to-another-namespace/input.yaml')}`;
const options = { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: false };

test('a host below the wildcard of another namespace is refused at the handshake; of the same, or nobody’s, it is shown that', () => {
  const { hosts } = translate(inventoryOf(world), options, Date.UTC(2027, 0, 1));
  return withRig({ https: true, hosts: () => [...hosts.values()] }, async ({ httpsPort }) => {
    const shown = (servername: string): Promise<string | undefined> =>
      new Promise((resolve) => {
        const socket = connect({ port: httpsPort, host: '127.0.0.1', servername, rejectUnauthorized: false }, () => {
          resolve(socket.getPeerCertificate().subjectaltname);
          socket.destroy();
        });
        socket.on('error', () => resolve(undefined));
      });
    assert.equal(await shown('app.example.com'), undefined, 'blog’s, below the wildcard of shop');
    assert.equal(await shown('shop.example.com'), 'DNS:*.example.com');
    assert.equal(await shown('nobody.example.com'), 'DNS:*.example.com');
  });
});
