// Each criteria/<name>.yaml is a criterion's table: what it answers of whom, tried in every place where a criterion can stand.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { criterion, criterionNames } from '../../src/model/criteria.ts';
import type { Criterion, CriterionName } from '../../src/model/criteria.ts';
import { dataSetContent, policyTest } from '../../src/model/policy.ts';
import type { Access, DataSets, Policy, Rule } from '../../src/model/policy.ts';
import type { Decision, Facts } from '../../src/model/verdict.ts';
import { explain } from '../../src/policy/explain.ts';
import { factsOfTest } from '../../src/policy/test-facts.ts';

const certificate = z.strictObject({
  fingerprint: z.string().default(''),
  spkiHash: z.string().default(''),
  sanEmails: z.array(z.string()).default([]),
  sanDnsNames: z.array(z.string()).default([]),
  sanUris: z.array(z.string()).default([]),
});

/** As in a policy's own test, and what no such test can say: several values of a name, a certificate. */
const column = policyTest.pick({ as: true, request: true, at: true }).extend({
  sent: z
    .strictObject({ headers: z.record(z.string(), z.array(z.string())).default({}), query: z.string().default('') })
    .optional(),
  certificate: certificate.optional(),
});

/**
 * What a criterion answers of a column. `missing`: the value was never given, and that counts against the person.
 * `error`: it could not be judged, which does too. `login`: nobody is signed in.
 * `too-old` is no, and `old-enough` yes, because of an age alone, and `too-weak` is no because of how they
 * signed in: whom that keeps out is asked to sign in again.
 */
const answer = z.union([z.boolean(), z.enum(['missing', 'error', 'login', 'too-old', 'old-enough', 'too-weak'])]);
type Answer = z.infer<typeof answer>;

const dataSet = z.strictObject({ content: dataSetContent.optional(), staleAt: z.string().optional() });

const table = z.strictObject({
  dataSets: z.record(z.string(), dataSet).default({}),
  of: z.record(z.string(), column),
  rows: z.array(z.looseObject({ criterion })).min(1),
});
type Table = z.infer<typeof table>;

const criterionFile = z.looseObject({ policies: z.array(z.unknown()).min(1), tables: z.array(table).min(1) });

function factsOf({ sent, certificate: clientCertificate, ...rest }: z.infer<typeof column>): Facts {
  return {
    ...factsOfTest(rest),
    ...(sent && { headers: new Map(Object.entries(sent.headers)), query: sent.query }),
    ...(clientCertificate && { clientCertificate }),
  };
}

function dataSetsOf({ dataSets }: Table): DataSets {
  return Object.fromEntries(
    Object.entries(dataSets).map(([name, { content, staleAt }]) => [
      name,
      { ...(content && { content }), ...(staleAt !== undefined && { staleAt: Date.parse(staleAt) }) },
    ]),
  );
}

const places = (['allow', 'deny'] as const).flatMap((action) =>
  (['and', 'or', 'not', 'nor'] as const).map((operator) => ({ action, operator })),
);
type Place = (typeof places)[number];

/** A deny stands beside a rule that allows everybody, so that it alone decides. */
function accessOf({ action, operator }: Place, one: Criterion, dataSets: DataSets): Access {
  const everybody: readonly Rule[] = action === 'deny' ? [{ allow: { or: [{ accept: true }] } }] : [];
  const rules: readonly Rule[] = [{ [action]: { [operator]: [one] } }, ...everybody];
  const policy: Policy = { name: 'p', mode: 'Enforce', rules, dataSets };
  return { policies: [{ policy, attachment: 'Own' }], defaultAccess: 'Deny' };
}

function expectedAt(
  { action, operator }: Place,
  given: Answer,
): { readonly decision: Decision; readonly result: boolean } {
  const inverted = operator === 'not' || operator === 'nor';
  if (given === 'login') return { decision: 'Login', result: false };
  const bySignIn = given === 'too-old' || given === 'old-enough' || given === 'too-weak';
  const against = (action === 'deny') !== inverted;
  const result = bySignIn ? given === 'old-enough' : typeof given === 'boolean' ? given : against;
  const letsIn = (result !== inverted) === (action === 'allow');
  return { decision: letsIn ? 'Allow' : bySignIn ? 'Login' : 'Deny', result };
}

/** Which reason goes with an answer is the model's to say: `-ok`, `-unauthorized`, or the criterion's own two. */
function checkReason(reason: string, given: Answer, result: boolean, own: Map<boolean, string>): void {
  if (given === 'login') assert.equal(reason, 'user-unauthenticated');
  else if (given === 'error') assert.equal(reason, 'criterion-error');
  else if (reason !== 'client-certificate-required') {
    assert.equal(reason, own.get(result) ?? reason, 'one reason goes with one answer');
    own.set(result, reason);
  }
}

const folder = join(import.meta.dirname, 'criteria');
const names = readdirSync(folder).map((name) => name.replace(/\.yaml$/, ''));

test('every criterion has its table, and every table is one of a criterion', () => {
  assert.deepEqual(names.toSorted(), criterionNames.toSorted());
});

/** `email.is`, `sessionAge.over`: every field that a criterion can be written with. */
function fieldsOf(schema: z.ZodType, path: string): readonly string[] {
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  if (!(inner instanceof z.ZodObject)) return [path];
  return Object.entries(inner.shape).flatMap(([name, field]) => fieldsOf(field as z.ZodType, `${path}.${name}`));
}

function fieldsIn(value: unknown, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([name, field]) => fieldsIn(field, `${path}.${name}`));
}

for (const name of names) {
  describe(name, () => {
    const { tables, policies } = criterionFile.parse(parseYaml(readFileSync(join(folder, `${name}.yaml`), 'utf8')));

    test('the example is about it, and the tables have all of its fields', () => {
      assert.match(JSON.stringify(policies[0]), new RegExp(`"${name}":`));
      const rows = tables.flatMap((one) => one.rows.map((row) => row.criterion));
      assert.deepEqual([...new Set(rows.map((row) => Object.keys(row).join()))], [name]);
      const seen = new Set(rows.flatMap((row) => fieldsIn(row[name as CriterionName], name)));
      const all = fieldsOf(criterion.shape[name as CriterionName], name);
      assert.deepEqual(
        all.filter((field) => !seen.has(field)),
        [],
      );
    });

    const reasons = new Map<boolean, string>();
    for (const one of tables) {
      const dataSets = dataSetsOf(one);
      for (const { criterion: written, ...answers } of one.rows) {
        test(JSON.stringify(written), () => {
          assert.deepEqual(
            Object.keys(answers).toSorted(),
            Object.keys(one.of).toSorted(),
            'an answer for each column',
          );
          for (const place of places) {
            const access = accessOf(place, written, dataSets);
            for (const [who, facts] of Object.entries(one.of)) {
              const given = answer.parse(answers[who]);
              const {
                verdict,
                policies: [said],
              } = explain(access, factsOf(facts));
              const trace = said?.rules[0]?.operators[0]?.criteria[0];
              assert.deepEqual(
                { decision: verdict.decision, result: trace?.result },
                expectedAt(place, given),
                `${who}, under ${place.action} ${place.operator}`,
              );
              checkReason(trace?.reason ?? '', given, trace?.result === true, reasons);
            }
          }
        });
      }
    }
  });
}
