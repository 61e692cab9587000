// What docs/from-pomerium.md says of Pomerium's policies, against the conversion itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse as parseYaml } from 'yaml';
import { convertPomeriumPolicy } from '../../src/policy/pomerium/convert.ts';
import { convertPomeriumRoute } from '../../src/policy/pomerium/route.ts';
import { blocksOf, readPage } from './pages.ts';

const page = 'docs/from-pomerium.md';

/** The names in the first column of the table under a heading. */
function namesUnder(heading: string): readonly string[] {
  const [, section = ''] = readPage(page).split(`## ${heading}\n`);
  const [table = ''] = section.split('\n## ');
  const cells = table.split('\n').flatMap((line) => /^\| (`[^|]+)\|/.exec(line)?.[1] ?? []);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
}

test('its example becomes what it says', () => {
  const [before, ...noMore] = blocksOf(page).filter(({ language }) => language === 'yml');
  const after = blocksOf(page).find(({ language }) => language === 'yaml');
  assert.deepEqual(noMore, []);
  const { rules, lost } = convertPomeriumPolicy(parseYaml(before?.text ?? ''));
  assert.deepEqual({ rules }, parseYaml(after?.text ?? ''));
  assert.deepEqual(
    lost.map(({ path }) => path),
    ['policy.deny.or[1]'],
  );
});

test('each criterion that it names as ours is one, and each that it names as lost is not', () => {
  const isCriterion = (name: string) => /^[a-z_]+$/.test(name) && !/^(allow|cors_allow|starts|ends|not_in)/.test(name);
  const whyOf = (name: string) => convertPomeriumPolicy({ allow: { or: [{ [name]: 'x' }] } }).lost[0]?.message ?? '';
  const ours = namesUnder('Names').filter(isCriterion);
  const lost = namesUnder('What is not carried over').filter((name) => isCriterion(name) && !name.startsWith('san_'));
  assert.deepEqual([ours.length, lost.length], [15, 9]);
  for (const name of ours) assert.doesNotMatch(whyOf(name), /here|there is no such criterion/, name);
  for (const name of lost) assert.match(whyOf(name), /here|outside/, name);
});

test('each field of a route that it names is read', () => {
  const fields = namesUnder('Names').filter((name) => /^(allow|cors_allow)/.test(name));
  assert.equal(fields.length, 6);
  for (const field of fields) assert.notDeepEqual(convertPomeriumRoute({ [field]: 7 }).lost, [], field);
});
