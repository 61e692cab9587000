// Every test is run by `make test`, in one lane, but for the faults, which have a target of their own: what no lane names would rot unseen.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const lanes = ['quick', 'unit', 'real', 'keycloak', 'apiserver', 'traffic', 'replicas', 'faults'];

// Not as a part of whatever make runs this test.
const env = { ...process.env, MAKEFLAGS: '' };
const dryRun = (target: string) => execFileSync('make', ['-n', target], { cwd: root, env, encoding: 'utf8' });

test('each test file is in one lane', () => {
  const commands = lanes.map(dryRun);
  const globs = commands.flatMap((command) => [...command.matchAll(/'(test\/[^']+)'/g)].map(([, glob = '']) => glob));
  const run = globs.flatMap((glob) => globSync(glob, { cwd: root })).toSorted();
  assert(run.length > 100, 'the lanes were read');
  const there = globSync('test/**/*.test.ts', { cwd: root }).toSorted();
  assert.deepEqual(run, there);
});

test('`make test` goes through all of them', () => {
  const all = dryRun('test');
  for (const lane of lanes.slice(1, -1)) assert.match(all, new RegExp(`\\b${lane}\\b`));
});
