// A guest of a shared host adds paths: whatever it claims, no request that the owner's paths answered goes to it, nor one for the
// root or /.well-known, which speak for the whole host (RFC 8615; RFC 8555, section 8.3).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchRoute } from '../../../src/proxy/match.ts';
import { ingress, shared, tableOf, translated } from './rig.ts';

const segment = fc.constantFrom('a', 'b', 'ab', '.well-known', 'acme-challenge');
const path = fc
  .tuple(fc.boolean(), fc.array(segment, { maxLength: 3 }), fc.boolean())
  .map(
    ([exact, segments, slash]) => `${exact ? '=' : ''}/${segments.join('/')}${slash && segments.length > 0 ? '/' : ''}`,
  );
const paths = fc.uniqueArray(path, { minLength: 1, maxLength: 4 });
const asked = fc
  .tuple(fc.array(segment, { maxLength: 4 }), fc.boolean())
  .map(([segments, slash]) => `/${segments.join('/')}${slash && segments.length > 0 ? '/' : ''}`);

test('whatever a guest claims, the owner and older guests keep what they serve', () => {
  fc.assert(
    fc.property(paths, paths, fc.array(asked, { minLength: 8, maxLength: 8 }), (owners, guests, requests) => {
      const owner = ingress({ namespace: 'shop', paths: owners, day: 1 });
      const guest = ingress({ namespace: 'blog', paths: guests, day: 2 });
      const alone = tableOf(translated(owner));
      const both = tableOf(translated(owner, guest));
      for (const request of requests) {
        const before = matchRoute(alone, shared, request);
        const after = matchRoute(both, shared, request);
        const speaksForHost = request === '/' || `${request}/`.startsWith('/.well-known/');
        // What only a `/` of the owner's caught is what a guest may add paths to.
        if ((before !== undefined && before.path !== '/') || speaksForHost)
          assert.equal(after?.id, before?.id, request);
        if (after !== undefined && after.id !== before?.id) assert.equal(after.ingress.namespace, 'blog');
      }
    }),
    { numRuns: 150 },
  );
});

test('nor does an owner come late between a guest and what is below its path', () => {
  const owner = ingress({ namespace: 'shop', paths: ['/'], day: 1 });
  const guest = ingress({ namespace: 'blog', paths: ['/blog'], day: 2 });
  const late = ingress({ name: 'late', namespace: 'shop', paths: ['/blog/admin', '=/blog'], day: 3 });
  const { diagnostics, ...translation } = translated(owner, guest, late);
  const table = tableOf({ ...translation, diagnostics });
  for (const request of ['/blog', '/blog/admin', '/blog/x']) {
    assert.equal(matchRoute(table, shared, request)?.ingress.namespace, 'blog', request);
  }
  assert.deepEqual(
    diagnostics.map(({ code, object }) => `${code} ${object.name}`),
    ['PathOwnedElsewhere late', 'PathOwnedElsewhere late'],
  );
});
