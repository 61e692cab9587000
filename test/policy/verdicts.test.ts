// The verdicts are what they were: thousands of pairs of a policy and a request, written down (see scripts/verdicts.ts).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { criterion, criterionNames } from '../../src/model/criteria.ts';
import { readLines, row, scene, tables, verdictIn } from './verdict-table.ts';

const scenes = readLines('scenes.jsonl', scene);
const rows = tables.map((file) => ({ file, rows: readLines(file, row) }));
const all = rows.flatMap(({ rows }) => rows);

describe('every verdict is what it was', () => {
  for (const { file, rows: lines } of rows) {
    test(`${file}: ${lines.length} policies, each for ${scenes.length} requests`, () => {
      const changed = lines.flatMap((line, index) =>
        scenes.flatMap((scene) => {
          const now = verdictIn(line, scene);
          const was = line.verdicts[scene.name];
          return now === was ? [] : [`line ${index + 1}, ${scene.name}: ${was} became ${now}`];
        }),
      );
      assert.deepEqual(changed, []);
    });
  }
});

describe('the table of verdicts leaves nothing out', () => {
  const written = new Set(all.flatMap(({ policies }) => policies.flatMap(({ rules }) => rules.flatMap(placesIn))));
  const verdicts = all.flatMap((line) => Object.values(line.verdicts));

  test('no criterion, and no operator of its matcher', () => {
    const known = criterionNames.flatMap((name) => [name, ...fieldsWithin(name, criterion.shape[name])]);
    assert.ok(known.length > 100);
    assert.deepEqual(
      known.filter((one) => !written.has(one)),
      [],
    );
  });

  test('no operator of a rule, no mode, no attachment, no default access', () => {
    const operators = ['and', 'or', 'not', 'nor'].flatMap((name) => [`allow ${name}`, `deny ${name}`]);
    assert.deepEqual(
      [...operators, 'a rule in Audit'].filter((one) => !written.has(one)),
      [],
    );
    const policies = all.flatMap((line) => line.policies);
    assert.deepEqual(new Set(policies.map(({ mode }) => mode)), new Set(['Enforce', 'Audit']));
    assert.deepEqual(new Set(policies.map((one) => one.attachment)), new Set(['Own', 'Default', 'Mandatory']));
    assert.deepEqual(new Set(all.map((line) => line.defaultAccess)), new Set(['Deny', 'Authenticated']));
    assert.ok(policies.some(({ broken }) => broken !== undefined));
  });

  test('no decision, none in a trial, no sign-in anew, and none is rare', () => {
    for (const kind of [/^Allow/, /^Deny/, /^Login/, /trial=Allow/, /trial=Deny/, /trial=Login/, /criterion-error/]) {
      const count = verdicts.filter((verdict) => kind.test(verdict)).length;
      assert.ok(count >= 10, `${kind} stands there ${count} times`);
    }
    assert.ok(verdicts.some((verdict) => /^Login [0-9]+s/.test(verdict)));
  });
});

/** `email`, `email.is`, `deny nor` and the like, of one rule. */
function placesIn(rule: (typeof all)[number]['policies'][number]['rules'][number]): readonly string[] {
  const actions = (['allow', 'deny'] as const).flatMap((action) =>
    Object.entries(rule[action] ?? {}).flatMap(([operator, criteria = []]) => [
      `${action} ${operator}`,
      ...criteria.flatMap((one) =>
        Object.entries(one).flatMap(([name, value]) => [name, ...valuesWithin(name, value)]),
      ),
    ]),
  );
  return [...actions, ...(rule.mode === 'Audit' ? ['a rule in Audit'] : [])];
}

function valuesWithin(name: string, value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([field, inner]) => [
    `${name}.${field}`,
    ...valuesWithin(`${name}.${field}`, inner),
  ]);
}

function fieldsWithin(name: string, schema: unknown): readonly string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return fieldsWithin(name, schema.unwrap());
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([field, inner]) => [
    `${name}.${field}`,
    ...fieldsWithin(`${name}.${field}`, inner),
  ]);
}
