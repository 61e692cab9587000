// Each <a sentence>.yaml beside this file: policies, and for each case the decision and the sentences that explain it.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { describeReference } from '../../src/model/diagnostic.ts';
import type { Diagnostic } from '../../src/model/diagnostic.ts';
import { referenceTo } from '../../src/model/objects.ts';
import type { KubernetesObject } from '../../src/model/objects.ts';
import { dataSetContent, policyTest } from '../../src/model/policy.ts';
import type { AttachedPolicy } from '../../src/model/policy.ts';
import { explain } from '../../src/policy/explain.ts';
import { parseClusterPolicy, parsePolicy } from '../../src/policy/parse.ts';
import { explainVerdict } from '../../src/policy/sentences.ts';
import { factsOfTest } from '../../src/policy/test-facts.ts';

/** As a policy's own test; `under` names the one policy of the file that governs, by default all of them do. */
const policyCase = policyTest.extend({
  under: z.string().optional(),
  because: z.array(z.string()).min(1),
  /** What it would be, were everything in Audit enforced. */
  trial: z.enum(['Allow', 'Deny', 'Login']).optional(),
});

const policyFile = z.strictObject({
  policies: z.array(
    z.looseObject({
      apiVersion: z.literal('sallyport.dev/v1alpha1'),
      kind: z.enum(['Policy', 'ClusterPolicy']),
      metadata: z.strictObject({ name: z.string(), namespace: z.string().optional() }),
      spec: z.looseObject({ enforcement: z.enum(['Mandatory', 'Default']).optional() }),
    }),
  ),
  defaultAccess: z.enum(['Deny', 'Authenticated']),
  /** All of them: a file without this field has none. */
  diagnostics: z.array(z.string()).default([]),
  cases: z.array(policyCase).min(1),
  /** Of a criterion, for criteria.test.ts. */
  tables: z.array(z.unknown()).optional(),
});
type PolicyFile = z.infer<typeof policyFile>;
type Manifest = PolicyFile['policies'][number];

function objectOf({ metadata: { name, namespace }, ...rest }: Manifest): KubernetesObject {
  return { ...rest, metadata: { name, ...(namespace !== undefined && { namespace }) } };
}

function attach(manifest: Manifest): {
  readonly attached: AttachedPolicy;
  readonly diagnostics: readonly Diagnostic[];
} {
  const object = objectOf(manifest);
  const { policy, diagnostics } = manifest.kind === 'Policy' ? parsePolicy(object) : parseClusterPolicy(object);
  assert.equal(policy.name, describeReference(referenceTo(object)));
  return { attached: { policy, attachment: manifest.spec.enforcement ?? 'Own' }, diagnostics };
}

/** As translate does; in a case, `data` is what the ConfigMaps hold. */
function withData(
  { policy, attachment }: AttachedPolicy,
  data: PolicyFile['cases'][number]['data'] = {},
): AttachedPolicy {
  if (policy.dataSets === undefined) return { policy, attachment };
  const dataSets = Object.fromEntries(
    Object.keys(policy.dataSets).map((name) => [name, { content: dataSetContent.parse(data[name] ?? []) }]),
  );
  return { policy: { ...policy, dataSets }, attachment };
}

const names = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
for (const name of names.filter((name) => name.endsWith('.yaml'))) {
  describe(name.slice(0, -'.yaml'.length), () => {
    const file = policyFile.parse(parseYaml(readFileSync(join(import.meta.dirname, name), 'utf8')));
    const parsed = file.policies.map(attach);
    test('every mistake is told, and no other', () => {
      const told = parsed.flatMap(({ diagnostics }) => diagnostics);
      assert.deepEqual(
        told.map(
          ({ severity, object, path, message }) => `${severity} ${describeReference(object)} ${path}: ${message}`,
        ),
        file.diagnostics,
      );
    });
    for (const [index, one] of file.cases.entries()) {
      test(`case ${index}: ${one.expect}`, () => {
        const governing = file.policies.flatMap(({ metadata }, at) =>
          one.under === undefined || one.under === metadata.name ? (parsed[at] ?? []) : [],
        );
        assert.ok(one.under === undefined || governing.length === 1, `one policy is named ${one.under}`);
        const policies = governing.map(({ attached }) => withData(attached, one.data));
        const explanation = explain({ policies, defaultAccess: file.defaultAccess }, factsOfTest(one));
        const { decision, trial } = explanation.verdict;
        const isAudit = policies.some(({ policy }) => [policy, ...policy.rules].some(({ mode }) => mode === 'Audit'));
        if (!isAudit) assert.equal(trial, undefined, 'nothing is tried');
        assert.deepEqual(
          { decision, because: explainVerdict(explanation), ...(one.trial && { trial }) },
          { decision: one.expect, because: one.because, ...(one.trial && { trial: one.trial }) },
        );
      });
    }
  });
}
