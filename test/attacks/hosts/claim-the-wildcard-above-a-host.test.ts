// A wildcard of one namespace above the host of another: it takes no request of that host, and lends it no certificate, older or not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateFor } from '../../../src/proxy/certificates.ts';
import { matchRoute } from '../../../src/proxy/match.ts';
import { ingress, tableOf, translated } from './rig.ts';

for (const day of [1, 3]) {
  test(`a wildcard that is ${day === 1 ? 'older' : 'younger'} than the host`, () => {
    const wildcard = ingress({
      namespace: 'shop',
      host: '*.example.com',
      paths: ['/'],
      tlsSecret: 'wildcard-tls',
      day,
    });
    const table = tableOf(
      translated(wildcard, ingress({ namespace: 'blog', host: 'blog.example.com', paths: ['/posts'], day: 2 })),
    );
    assert.equal(matchRoute(table, 'blog.example.com', '/posts')?.ingress.namespace, 'blog');
    assert.equal(matchRoute(table, 'blog.example.com', '/elsewhere'), undefined);
    assert.equal(certificateFor(table, 'blog.example.com'), undefined);
    assert.equal(certificateFor(table, 'other.example.com')?.name, 'shop/wildcard-tls');
  });
}
