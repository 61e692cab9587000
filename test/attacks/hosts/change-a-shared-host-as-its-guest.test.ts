// What concerns a shared host as a whole is its owner's: a guest gives it no certificate, opens nothing but its own paths, and says
// nothing of https for the others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateFor } from '../../../src/proxy/certificates.ts';
import { ingress, shared, tableOf, translated } from './rig.ts';

const owner = { namespace: 'shop', paths: ['/', '/pay'], day: 1 } as const;
const guest = {
  namespace: 'blog',
  paths: ['/blog'],
  day: 2,
  tlsSecret: 'mine',
  annotations: {
    'sallyport.dev/access': 'public',
    'sallyport.dev/https-redirect': 'false',
    'sallyport.dev/hsts-max-age': '0',
  },
} as const;
const secret = (name: string) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'blog' } });

test('a guest’s Secret is neither served nor fetched, whether the owner has one or not', () => {
  for (const tlsSecret of ['wildcard-tls', undefined]) {
    const owners = ingress({ ...owner, ...(tlsSecret !== undefined && { tlsSecret }) });
    const translation = translated(owners, ingress(guest), secret('mine'));
    const shown = certificateFor(tableOf(translation), shared)?.name;
    assert.equal(shown, tlsSecret === undefined ? undefined : 'shop/wildcard-tls');
    assert.ok(!translation.references.secrets.has('blog/mine'));
    assert.ok(
      translation.diagnostics.some(({ code, object }) => code === 'CertificateConflict' && object.namespace === 'blog'),
    );
  }
});

test('a guest’s annotations are about its own paths alone', () => {
  const alone = translated(ingress(owner)).hosts.get(shared);
  const both = translated(ingress(owner), ingress(guest)).hosts.get(shared);
  assert.deepEqual(
    both?.routes.filter(({ ingress: { namespace } }) => namespace === 'shop'),
    alone?.routes,
  );
  assert.equal(both?.httpsRedirect, alone?.httpsRedirect);
  assert.equal(both?.strictTransport, alone?.strictTransport);
});

test('a namespace that the class does not share the host with adds nothing', () => {
  const guests = ingress({ ...guest, namespace: 'shop', day: 2 });
  const owners = ingress({ ...owner, namespace: 'blog', day: 1 });
  const routes = translated(owners, guests).hosts.get(shared)?.routes ?? [];
  assert.deepEqual([...new Set(routes.map(({ ingress: { namespace } }) => namespace))], ['blog']);
});
