// The table of verdicts: people and requests by name, and what each policy answers to each of them, in one text.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { policyMode, policyTest, rule } from '../../src/model/policy.ts';
import type { Access, DataSets } from '../../src/model/policy.ts';
import type { Facts } from '../../src/model/verdict.ts';
import { explain } from '../../src/policy/explain.ts';
import { factsOfTest } from '../../src/policy/test-facts.ts';

export const folder = join(import.meta.dirname, 'verdicts');
export const tables = ['criteria.jsonl', 'operators.jsonl', 'combinations.jsonl'] as const;

const texts = z.array(z.string());
export const scene = policyTest.pick({ as: true, request: true, at: true }).extend({
  name: z.string(),
  certificate: z
    .strictObject({
      fingerprint: z.string(),
      spkiHash: z.string(),
      sanEmails: texts,
      sanDnsNames: texts,
      sanUris: texts,
    })
    .optional(),
});
export type Scene = z.infer<typeof scene>;

/** Fields that are as nearly always are left out. */
const tablePolicy = z.strictObject({
  mode: policyMode.default('Enforce'),
  attachment: z.enum(['Own', 'Default', 'Mandatory']).default('Own'),
  rules: z.array(rule).min(1),
  broken: z.string().optional(),
});
export const row = z.strictObject({
  policies: z.array(tablePolicy),
  defaultAccess: z.enum(['Deny', 'Authenticated']).default('Deny'),
  /** By the scene's name. */
  verdicts: z.record(z.string(), z.string()),
});
export type Row = z.infer<typeof row>;

export function readLines<Line>(file: string, schema: z.ZodType<Line>): readonly Line[] {
  const lines = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n');
  return lines.map((line) => schema.parse(JSON.parse(line)));
}

/**
 * Every policy may look into all of them: one that is fresh, one that is so until January 2, and one
 * that could not be read.
 */
const dataSets: DataSets = {
  oncall: { content: ['bob@partner.example', 'u-bob', 'oncall', 'a', '/admin', 'POST', 'hwk', 'a.example.com', 'phr'] },
  stale: { content: ['eng'], staleAt: Date.UTC(2026, 0, 2) },
  unread: {},
};

function accessOf({ policies, defaultAccess }: Row): Access {
  return {
    defaultAccess,
    policies: policies.map(({ attachment, mode, rules, broken }, index) => ({
      attachment,
      policy: { name: `p${index}`, mode, rules, dataSets, ...(broken !== undefined && { broken }) },
    })),
  };
}

function factsOf({ certificate, ...rest }: Scene): Facts {
  return { ...factsOfTest(rest), ...(certificate && { clientCertificate: certificate }) };
}

/** `Deny email-unauthorized`; `Login 300s …` for a sign-in anew; `Allow trial=Deny …` where something is in Audit. */
export function verdictIn(row: Row, scene: Scene): string {
  const { verdict, cause } = explain(accessOf(row), factsOf(scene));
  const { decision, trial, stepUp } = verdict;
  const { withinSeconds, acrValues = [], methods = [] } = stepUp ?? {};
  const again = [
    ...(withinSeconds === undefined ? [] : [`${withinSeconds}s`]),
    ...acrValues.map((acr) => `acr=${acr}`),
    ...methods.map((method) => `amr=${method}`),
  ];
  return [decision, ...again, ...(trial ? [`trial=${trial}`] : []), ...cause.reasons].join(' ');
}
