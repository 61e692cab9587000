// What every file keeps to: a first line that says what it is, a length that tells one story, nothing of the machine it was written on.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const sources = files.filter((file) => /^(src|test|demo|scripts|bench)\/.*\.ts$/.test(file));

test('each TypeScript file begins with a comment that says what it is', () => {
  assert.ok(sources.length > 100, 'the files were found');
  assert.deepEqual(
    sources.filter((file) => !/^(#!.*\n)?\/\/ [A-Za-z`0-9].{15,}/.test(read(file))),
    [],
  );
});

test('no file of src is longer than 300 lines', () => {
  const long = sources.filter((file) => file.startsWith('src/') && read(file).split('\n').length > 300);
  assert.deepEqual(long, []);
});

test('no name says Manager, Helper, Util, Common, Context, Data or Info', () => {
  const banned =
    /\b(class|interface|type|function|const)\s+(?!fieldManager)\w*(Manager|Helper|Util|Common|Context|Info)\b|\/(\w*-)?(manager|helpers?|utils?|common|context|data|info)\.ts$/;
  const wrong = sources
    .filter((file) => file.startsWith('src/'))
    .filter((file) => banned.test(read(file)) || banned.test(`/${file}`));
  assert.deepEqual(wrong, []);
});

test('no file holds a path of the machine, and the lock file no download address', () => {
  const machine = /\/(work|farm|home)\/[a-z]|\/root\/\.?[a-z]/;
  const text = files.filter(
    (file) => /\.(ts|md|ya?ml|json|sh|mod)$|^(Makefile|bin\/|\.ci\/)/.test(file) && !file.startsWith('test/house/'),
  );
  assert.deepEqual(
    text.filter((file) => machine.test(read(file))),
    [],
  );
  assert.ok(!read('package-lock.json').includes('"resolved"'));
});
