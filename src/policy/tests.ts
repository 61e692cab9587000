// A policy's own tests, run on the policy alone.
import type { Diagnostic, ObjectReference } from '../model/diagnostic.ts';
import type { Access, AttachedPolicy, DataSets, Policy, PolicyTest, Rule } from '../model/policy.ts';
import { dataSetContent } from '../model/policy.ts';
import { explain } from './explain.ts';
import { explainVerdict } from './sentences.ts';
import { factsOfTest } from './test-facts.ts';

/** One `PolicyTestFailed` for each test that does not get what it expects. */
export function runTests(object: ObjectReference, policy: Policy, tests: readonly PolicyTest[]): readonly Diagnostic[] {
  const access = accessForTests(policy);
  return tests.flatMap((test, index) => {
    const usesData = test.data !== undefined && policy.dataSets !== undefined;
    const tested = usesData ? accessForTests({ ...policy, dataSets: dataOf(policy, test) }) : access;
    const explanation = explain(tested, factsOfTest(test));
    const { decision } = explanation.verdict;
    if (decision === test.expect) return [];
    const message = `expected ${test.expect}, and it came out as ${decision}: ${explainVerdict(explanation).join(' ')}`;
    return [{ code: 'PolicyTestFailed', severity: 'error', object, path: `spec.tests[${index}]`, message }];
  });
}

/** A test brings its own data, so that it does not fail when somebody else is on call. */
function dataOf({ dataSets = {} }: Policy, { data = {} }: PolicyTest): DataSets {
  return Object.fromEntries(
    Object.keys(dataSets).map((name) => [name, { content: dataSetContent.safeParse(data[name]).data ?? [] }]),
  );
}

/**
 * The policy as an enforced one of the Ingress, whatever its mode. One without allow rules can only refuse, and alone
 * would refuse everything: its tests ask whether it does, so beside it stands a policy that grants.
 */
function accessForTests(policy: Policy): Access {
  const rules = policy.rules.map((rule): Rule => ({ ...rule, mode: 'Enforce' }));
  const own: AttachedPolicy = { policy: { ...policy, mode: 'Enforce', rules }, attachment: 'Own' };
  const onlyRefuses = policy.rules.every(({ allow }) => allow === undefined);
  return { policies: onlyRefuses ? [own, granting] : [own], defaultAccess: 'Deny' };
}

const granting: AttachedPolicy = {
  policy: { name: 'a policy that allows everybody', mode: 'Enforce', rules: [{ allow: { or: [{ accept: true }] } }] },
  attachment: 'Own',
};
