// A policy's own tests, run on the policy alone.
import type { Diagnostic, ObjectReference } from '../model/diagnostic.ts';
import type { Identity } from '../model/identity.ts';
import type { Access, AttachedPolicy, Facts, Policy, PolicyTest } from '../model/policy.ts';
import { evaluate } from './evaluate.ts';
import { explainVerdict } from './explain.ts';

/** One `PolicyTestFailed` for each test that does not get what it expects. */
export function runTests(object: ObjectReference, policy: Policy, tests: readonly PolicyTest[]): readonly Diagnostic[] {
  const access = accessForTests(policy);
  return tests.flatMap((test, index) => {
    const verdict = evaluate(access, factsOf(test));
    if (verdict.decision === test.expect) return [];
    const message = `expected ${test.expect}, and it came out as ${verdict.decision}: ${explainVerdict(verdict).join(' ')}`;
    return [{ code: 'PolicyTestFailed', severity: 'error', object, path: `spec.tests[${index}]`, message }];
  });
}

/**
 * The policy as an enforced one of the Ingress, whatever its mode. One without allow rules can only refuse, and alone
 * would refuse everything: its tests ask whether it does, so beside it stands a policy that grants.
 */
function accessForTests(policy: Policy): Access {
  const own: AttachedPolicy = { policy: { ...policy, mode: 'Enforce' }, attachment: 'Own' };
  const onlyRefuses = policy.rules.every(({ allow }) => allow === undefined);
  return { policies: onlyRefuses ? [own, granting] : [own], defaultAccess: 'Deny' };
}

const granting: AttachedPolicy = {
  policy: { name: 'a policy that allows everybody', mode: 'Enforce', rules: [{ allow: { or: [{ accept: true }] } }] },
  attachment: 'Own',
};

/** GET / from 192.0.2.1 (RFC 5737, an address of nobody), unless the test says otherwise. */
function factsOf({ as, request }: PolicyTest): Facts {
  const { method = 'GET', path = '/', ip = '192.0.2.1' } = request ?? {};
  return { ...(as && { identity: identityOf(as) }), method, path, ip };
}

function identityOf({ user, email, groups, claims }: NonNullable<PolicyTest['as']>): Identity {
  return {
    user: user ?? email ?? '',
    ...(email !== undefined && { email }),
    groups: groups ?? [],
    claims: claims ?? {},
  };
}
