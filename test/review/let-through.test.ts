// What explain says of a request that is let in, held to what becomes of it: the same outcomes as in the access log.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Route } from '../../src/model/route.ts';
import { letThroughEnding } from '../../src/review/let-through.ts';
import { publicAccess, withRig } from '../proxy/rig.ts';

const path = { kind: 'Pattern', pattern: '/x(.*)', substitution: '/in/\\1' } as const;
const cases: readonly (readonly [what: Partial<Route>, asked: string, outcome: string, sentence: RegExp])[] = [
  [{}, '/a', 'Forwarded', /^It goes on to default\/echo:80\.$/],
  [{ rewrite: { path } }, '/xa', 'Forwarded', /^It goes on to default\/echo:80 as \/in\/a\.$/],
  [{ rewrite: { path } }, '/x..', 'Misconfigured', /rewritten to/],
  [
    { redirect: { status: 308, host: 'b.example.com' } },
    '/a?q',
    'Redirected',
    /^It is sent to http:\/\/b\.example\.com\/a\?q \(308\)\.$/,
  ],
  [{ redirect: { status: 302 } }, '/a', 'Misconfigured', /leads back to itself/],
  [{ maintenance: {}, redirect: { status: 302 } }, '/a', 'Maintenance', /503/],
];

test('it says how each ends, as it does end', async () => {
  for (const [what, asked, outcome, sentence] of cases) {
    await withRig(
      { hosts: (to) => [{ host: 'app.example.com', routes: [to('/', publicAccess, what)] }] },
      async ({ get, lines, proxy }) => {
        await get(asked);
        assert.equal(lines.at(-1)?.['outcome'], outcome);
        const route = proxy.table.hosts.get('app.example.com')?.routes[0];
        assert.ok(route);
        const [target = '', query] = asked.split('?');
        const canonical = {
          method: 'GET',
          scheme: 'http',
          host: 'app.example.com',
          authority: 'app.example.com',
          path: target,
          query: query === undefined ? '' : `?${query}`,
          client: { address: '127.0.0.1', scheme: 'http', chain: ['127.0.0.1'] },
          headers: new Map(),
        } as const;
        const said = letThroughEnding(proxy.table, route, canonical);
        assert.equal(said.outcome, outcome);
        assert.match(said.sentence, sentence);
      },
    );
  }
});
