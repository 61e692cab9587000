// A rewrite made /files/.. of what the policy had judged as one harmless segment, and the application climbed out of its folder.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Route } from '../../../src/model/route.ts';
import { publicAccess, withRig } from '../../proxy/rig.ts';

const served = (pattern: string, substitution: string) => ({
  hosts: (to: (path: string, access: Route['access'], change: Partial<Route>) => Route) => [
    {
      host: 'app.example.com',
      routes: [to('/', publicAccess, { rewrite: { path: { kind: 'Pattern', pattern, substitution } } })],
    },
  ],
});

const climbs: readonly (readonly [pattern: string, substitution: string, path: string])[] = [
  ['/x(.*)', '/files/\\1', '/x..'],
  ['/x(.*)', '/files/\\1', '/x../etc/passwd'],
  ['/x(.*)', '/files/\\1/a', '/x.'],
  ['/x(.*)', '/files/\\1', '/x..;v=1'],
  ['/x(.*)', '/files/\\1', '/x/a'],
  ['/x(.*)', '/\\1', '/x/evil.example'],
  ['/(.)(.)', '/\\1\\2', '/..'],
  ['/x(.*)', '/files/%\\1', '/x2e./a'],
  ['/x(.*)', '/files/%2\\1', '/xF..'],
  ['/x(.*)', '/files/%0\\1', '/xd%41'],
  ['/x(.*)y(.*)', '/files/.\\1./\\2', '/xya'],
];

test('a path that climbs, or could be read in two ways, after its rewrite goes nowhere', async () => {
  for (const [pattern, substitution, path] of climbs) {
    await withRig(served(pattern, substitution), async ({ get, upstream }) => {
      const { status } = await get(path);
      assert.ok(status === 500 || status === 400, `${path}: ${status}`);
      assert.deepEqual(upstream.requests, []);
    });
  }
});

test('what climbs nowhere passes', () =>
  withRig(served('/x(.*)', '/files/\\1'), async ({ get, upstream }) => {
    assert.equal((await get('/x..a/b..?../..')).status, 200);
    assert.match(upstream.requests[0] ?? '', /^GET \/files\/\.\.a\/b\.\.\?\.\.\/\.\. HTTP/);
  }));
