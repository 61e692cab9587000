// Who may import whom: the table of ARCHITECTURE.md, held against every import in src (type-only ones too).
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const src = join(import.meta.dirname, '../../src');

/** Rooms, and single files where a room may see no more of another than that. */
const mayImport: Record<string, readonly string[]> = {
  model: [],
  policy: ['model'],
  translate: ['model', 'policy'],
  'telemetry.ts': [],
  kubernetes: ['model', 'telemetry.ts'],
  inventory: ['model', 'kubernetes/client.ts', 'telemetry.ts'],
  sessions: ['model', 'kubernetes/client.ts', 'inventory/watch.ts', 'inventory/listing.ts', 'telemetry.ts'],
  auth: ['model', 'telemetry.ts', 'sessions/store.ts'],
  proxy: ['model', 'policy', 'auth', 'telemetry.ts'],
  review: ['model', 'policy', 'proxy'],
  roles: ['model', 'proxy', 'auth', 'sessions', 'telemetry.ts'],
  admin: ['model', 'policy', 'telemetry.ts'],
  'controller.ts': ['model', 'translate', 'telemetry.ts'],
  cli: ['*'],
};

/** What each room may take from outside; `node:` alone stands for all of Node. */
const mayUse: Record<string, readonly string[]> = {
  model: ['zod', 'node:util'],
  policy: ['zod', 'ipaddr.js', 're2js', '@bufbuild/cel'],
  translate: ['zod', 'yaml', 'node:crypto'],
  'telemetry.ts': ['pino', 'prom-client'],
  kubernetes: ['node:', 'zod', '@kubernetes/client-node'],
  inventory: ['node:', 'yaml', 'zod'],
  sessions: ['node:', '@redis/client'],
  auth: ['node:', 'jose', 'lru-cache', 'openid-client', 'undici', 'zod'],
  proxy: ['node:', 'lru-cache', 'ipaddr.js'],
  review: ['zod'],
  roles: ['node:'],
  admin: ['node:'],
  'controller.ts': [],
  cli: ['node:'],
};

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?['"]([^'"]+)['"]|import\(['"]([^'"]+)['"]\)/g;
const roomOf = (file: string) => file.split('/')[0] ?? '';
const files = globSync('**/*.ts', { cwd: src });
const imports = files.flatMap((file) =>
  [...readFileSync(join(src, file), 'utf8').matchAll(importPattern)].map((match) => ({
    file,
    target: match[1] ?? match[2] ?? '',
  })),
);

test('every file of src belongs to a room of the table', () => {
  assert.ok(files.length > 50, 'the files were found');
  assert.deepEqual(
    files.filter((file) => mayImport[roomOf(file)] === undefined),
    [],
  );
});

test('no room imports a room that it may not', () => {
  assert.ok(imports.length > 200, 'the imports were found');
  const wrong = imports
    .filter(({ target }) => target.startsWith('.'))
    .map(({ file, target }) => ({ file, target: relative(src, join(src, dirname(file), target)) }))
    .filter(({ file, target }) => {
      const room = roomOf(file);
      const allowed = mayImport[room] ?? [];
      if (target === '../package.json') return room !== 'cli';
      return (
        roomOf(target) !== room &&
        !allowed.includes('*') &&
        !allowed.includes(roomOf(target)) &&
        !allowed.includes(target)
      );
    });
  assert.deepEqual(wrong, []);
});

test('no room uses a library or a part of Node that it may not', () => {
  const wrong = imports
    .filter(({ target }) => !target.startsWith('.'))
    .filter(({ file, target }) => {
      const allowed = mayUse[roomOf(file)] ?? [];
      return !allowed.includes(target) && !(target.startsWith('node:') && allowed.includes('node:'));
    });
  assert.deepEqual(wrong, []);
});

test('the pure half has no clock, no randomness, no timer and no promise', () => {
  const impure =
    /\bDate\.now\(|new Date\(\)|Math\.random|performance\.|setTimeout|setInterval|setImmediate|queueMicrotask|\basync\b|\bawait\b|\bPromise\b|process\./;
  const wrong = files
    .filter((file) => ['model', 'policy', 'translate', 'review'].includes(roomOf(file)))
    .flatMap((file) =>
      readFileSync(join(src, file), 'utf8')
        .split('\n')
        .map((line, index) => ({ at: `${file}:${index + 1}`, line: line.replace(/\/\/.*|^\s*\/?\*.*/, '') }))
        .filter(({ line }) => impure.test(line)),
    );
  assert.deepEqual(wrong, []);
});

test('the table of ARCHITECTURE.md says the same', () => {
  const paper = readFileSync(join(src, '../ARCHITECTURE.md'), 'utf8');
  for (const [room, allowed] of Object.entries(mayImport)) {
    const name = room.replace('.ts', '');
    const said =
      allowed.length === 0 ? '–' : allowed.map((one) => one.replace('.ts', '').replace('*', 'everything')).join(', ');
    assert.ok(paper.includes(`| ${name} | ${said} |`), `ARCHITECTURE.md has a row | ${name} | ${said} |`);
  }
});
