// Every YAML example of the pages is read and translated, policies with their tests: none of them may be wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocksIn } from './pages.ts';
import { errorsIn, madeWhole, objectsOf } from './world.ts';

const examples = blocksIn('yaml');

test('the pages have examples', () => {
  assert.ok(examples.length >= 8, `${examples.length} were found`);
});

for (const { page, line, text } of examples) {
  test(`the example at ${page}:${line} has no error`, async () => {
    const errors = await errorsIn(madeWhole(objectsOf(text)));
    assert.deepEqual(errors, []);
  });
}

test('an example with a mistake would be found: a field, a test of a policy, a kind', async () => {
  const policy = (rest: string) => `rules:\n  - allow: {or: [{email: {is: ana@example.com}}]}\n${rest}`;
  const mistakes: readonly (readonly [string, RegExp])[] = [
    [policy('test: []\n'), /^ObjectInvalid Policy example spec\.test/],
    [policy('tests:\n  - {as: {email: eve@example.org}, expect: Allow}\n'), /^PolicyTestFailed Policy example/],
    ['apiVersion: sallyport.dev/v1alpha1\nkind: Polcy\nmetadata: {name: a}\nspec: {}\n', /^ManifestInvalid/],
    [
      'apiVersion: sallyport.dev/v1alpha1\nkind: Sallyport\nmetadata: {name: default}\nspec: {lifetime: 1h}\n',
      /^ObjectInvalid/,
    ],
  ];
  for (const [text, expected] of mistakes) {
    const errors = await errorsIn(madeWhole(objectsOf(text)));
    assert.match(errors[0] ?? 'nothing', expected);
  }
});
