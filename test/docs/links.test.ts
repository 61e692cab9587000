// Every link within the repository leads somewhere, and every file that a page names is there.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { pages, proseOf, root } from './pages.ts';

/** What a heading is called in a link, as the usual renderers of Markdown make it. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function headings(page: string): readonly string[] {
  return [...proseOf(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => slug(heading));
}

const links = pages.flatMap((page) =>
  [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => ({ page, target })),
);

function deadEnd({ page, target }: { readonly page: string; readonly target: string }): boolean {
  if (target.startsWith('https://')) return false;
  const [path = '', anchor] = target.split('#', 2);
  const file = path === '' ? page : relative(root, join(root, dirname(page), path));
  if (!existsSync(join(root, file))) return true;
  return anchor !== undefined && !headings(file).includes(anchor);
}

test('every link within the repository leads somewhere', () => {
  assert.ok(links.length > 20, 'the links were found');
  assert.deepEqual(links.filter(deadEnd), []);
});

test('a link to an absent page or heading would be found', () => {
  for (const target of ['absent.md', 'flags.md#absent', '#absent'])
    assert.ok(deadEnd({ page: 'docs/policies.md', target }), target);
});

test('every file and folder that a page names is there', () => {
  const named = pages.flatMap((page) =>
    [...proseOf(page).matchAll(/`((?:src|test|docs|scripts|demo|crds|bin)\/[\w./-]*)`/g)].map(([, path = '']) => ({
      page,
      path,
    })),
  );
  assert.ok(named.length > 20, 'the names were found');
  assert.deepEqual(
    named.filter(({ path }) => !existsSync(join(root, path))),
    [],
  );
});
