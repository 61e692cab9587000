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
import { policyTest } from '../../src/model/policy.ts';
import type { AttachedPolicy, Facts } from '../../src/model/policy.ts';
import { evaluate } from '../../src/policy/evaluate.ts';
import { explainVerdict } from '../../src/policy/explain.ts';
import { parseClusterPolicy, parsePolicy } from '../../src/policy/parse.ts';

/** As a policy's own test; `under` names the one policy of the file that governs, by default all of them do. */
const policyCase = policyTest
  .omit({ at: true })
  .extend({ under: z.string().optional(), because: z.array(z.string()).min(1) });

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

function factsOf({ as, request }: PolicyFile['cases'][number]): Facts {
  const { method = 'GET', path = '/', ip = '192.0.2.1' } = request ?? {};
  if (!as) return { method, path, ip };
  const { user = as.email ?? '', email, groups = [], claims = {} } = as;
  return { identity: { user, ...(email !== undefined && { email }), groups, claims }, method, path, ip };
}

for (const name of readdirSync(import.meta.dirname).filter((name) => name.endsWith('.yaml'))) {
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
        const policies = governing.map(({ attached }) => attached);
        const verdict = evaluate({ policies, defaultAccess: file.defaultAccess }, factsOf(one));
        const sentences = explainVerdict(verdict);
        assert.deepEqual(
          { decision: verdict.decision, because: sentences },
          { decision: one.expect, because: one.because },
        );
      });
    }
  });
}
