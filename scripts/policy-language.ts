// The page of the policy language: every criterion with its fields, its reasons, and an example that is itself a test.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { aboutCriterion, criterionNames, reservedCriteria } from '../src/model/criteria.ts';
import type { Criterion, CriterionName } from '../src/model/criteria.ts';
import type { PolicyTest, Rule } from '../src/model/policy.ts';
import { reasons } from '../src/model/reason.ts';
import type { Reason } from '../src/model/reason.ts';
import { compileCriterion } from '../src/policy/criteria.ts';
import { criteriaOf } from '../src/policy/placed.ts';
import { factsOfTest } from '../src/policy/test-facts.ts';
import { code, page, table } from './markdown.ts';
import { describeType, fieldHead, fieldRows, readCrds, schemaAt } from './schemas.ts';
import type { Shape } from './schemas.ts';

interface CriterionFile {
  readonly policies: readonly { readonly spec: { readonly rules: readonly Rule[] } }[];
  readonly cases: readonly PolicyTest[];
}

const folder = join(import.meta.dirname, '../test/policy/criteria');

/** The first policy of a criterion's file as it is written, without its tests: its cases stand below. */
function exampleIn(text: string): string {
  const [, policy = ''] = /^policies:\n((?: {2}.*\n)+)/m.exec(text) ?? [];
  const [first = ''] = policy.split(/(?<=\n)(?= {2}- apiVersion)/);
  const [spec = ''] = first.split(/^ {6}tests:/m);
  return spec.replaceAll(/^ {2}(?: {2}|- )/gm, '').trimEnd();
}

const flow = (value: unknown): string =>
  code(stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trim());

function caseRows(cases: readonly PolicyTest[]): string {
  const hasTime = cases.some(({ at }) => at !== undefined);
  const rows = cases.map(({ as, request, at, expect }) => [
    as === null || as === undefined ? 'nobody' : flow(as),
    request === undefined ? '' : flow(request),
    ...(hasTime ? [at === undefined ? '' : code(at)] : []),
    expect,
  ]);
  return table(['As', 'Request', ...(hasTime ? ['At'] : []), 'Verdict'], rows);
}

/** What a criterion gives as its reason: false and true, with and without a certificate. */
function reasonsOf(criterion: Criterion): readonly Reason[] {
  const judge = compileCriterion(criterion, { against: 0, dataSets: {} });
  if (judge === undefined) throw new Error(`${JSON.stringify(criterion)} cannot be compiled`);
  const bare = factsOfTest({});
  const certificate = { fingerprint: '', spkiHash: '', sanEmails: [], sanDnsNames: [], sanUris: [] };
  const told = [{ ...bare, clientCertificate: certificate }, bare].flatMap((facts) => [
    judge.reason(true, facts),
    judge.reason(false, facts),
  ]);
  return [...new Set(told)];
}

function section(name: CriterionName, shapes: readonly Shape[]): readonly string[] {
  const text = readFileSync(join(folder, `${name}.yaml`), 'utf8');
  const { policies, cases } = parse(text) as CriterionFile;
  const placed = [...criteriaOf(policies[0]?.spec.rules ?? [])].find(({ criterion }) => Object.hasOwn(criterion, name));
  if (placed === undefined) throw new Error(`the example of ${name} has no ${name}`);
  const schema = schemaAt(crds, `Policy.rules[].allow.and[].${name}`);
  const rows = fieldRows(schema, shapes);
  const type = describeType(schema, shapes);
  const isShape = type.startsWith('[');
  return [
    `### ${name}`,
    `${aboutCriterion(name)} Reasons: ${reasonsOf(placed.criterion).map(code).join(', ')}.`,
    isShape || rows.length === 0 ? `Value: ${type}.` : table(fieldHead, rows),
    `\`\`\`yaml\n${exampleIn(text)}\n\`\`\``,
    caseRows(cases),
  ];
}

const crds = readCrds();

export function policyLanguagePage(): string {
  const shape = (name: string, path: string, about: string): Shape => ({ name, about, schema: schemaAt(crds, path) });
  const matchers = [
    shape('String matcher', 'Policy.rules[].allow.and[].email', 'How one text must look. Letter case counts.'),
    shape('List matcher', 'Policy.rules[].allow.and[].groups', 'What a list must hold. Letter case counts.'),
  ];
  const fields = (one: Shape): string =>
    table(
      ['Field', 'Type', 'Meaning'],
      fieldRows(one.schema, []).map(([field = '', type = '', , meaning = '']) => [field, type, meaning]),
    );
  const operators = shape('Operators', 'Policy.rules[].allow', '');
  return page(
    'The policy language',
    'src/model and test/policy/criteria',
    'All of it, for looking up; [policies](policies.md) says how it is meant. The CRDs are made from the same source. Each example is a test, and so is each line below it.',
    '## Operators',
    'Criteria stand below an operator, in the `allow` or the `deny` of a rule. Several operators in one rule are joined by "or", and so are rules.',
    table(
      ['Operator', 'Meaning'],
      fieldRows(operators.schema, [])
        .filter(([field = '']) => !field.includes('[]'))
        .map(([field = '', , , meaning = '']) => [field, meaning]),
    ),
    '## Matchers',
    'Exactly one of these fields. `not`, `notIn`, `exclude` and what is not in a data set are negative: of a value that is missing they say whatever counts against the person, and the others say no.',
    ...matchers.flatMap((one) => [`### ${one.name}`, one.about, fields(one)]),
    '## Criteria',
    'The reasons of each stand beside it. One about the person gives `user-unauthenticated` while nobody is signed in, and one that cannot be judged `criterion-error`.',
    criterionNames.map((name) => `[${name}](#${name.toLowerCase()})`).join(' · '),
    ...criterionNames.flatMap((name) => section(name, matchers)),
    '## Reserved',
    Object.values(reservedCriteria)
      .map((words) => `- ${words}.`)
      .join('\n'),
    '## Reasons',
    'Why a criterion was true or false: the same words in explanations, the decision log, metrics and on pages.',
    table(
      ['Reason', 'Meaning'],
      Object.entries(reasons).map(([reason, meaning]) => [code(reason), meaning]),
    ),
  );
}
