// What the parser does besides parsing: it remembers, and it bounds what it says.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubernetesObject } from '../../src/model/objects.ts';
import { parseClusterPolicy, parsePolicy } from '../../src/policy/parse.ts';

const objectWith = (spec: unknown): KubernetesObject => ({
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'Policy',
  metadata: { name: 'engineers', namespace: 'shop' },
  spec,
});
const accept = { allow: { or: [{ accept: true }] } };

/** `path: message` of each diagnostic. */
const told = (spec: unknown): string[] =>
  parsePolicy(objectWith(spec)).diagnostics.map(({ path, message }) => `${path}: ${message}`);

describe('the parser of policies', () => {
  test('remembers what an object came to, and judges an equal one anew', () => {
    const object = objectWith({ rules: [accept] });
    assert.equal(parsePolicy(object), parsePolicy(object));
    assert.notEqual(parsePolicy(object), parsePolicy(objectWith({ rules: [accept] })));
    assert.notEqual(parseClusterPolicy(object).policy.broken, undefined, 'it is not a good ClusterPolicy as well');
  });

  test('fills in the defaults', () => {
    const { spec, policy } = parsePolicy(objectWith({ rules: [accept], targetRefs: [{ name: 'shop' }] }));
    assert.equal(policy.mode, 'Enforce');
    assert.deepEqual(spec?.targetRefs, [{ group: 'networking.k8s.io', kind: 'Ingress', name: 'shop' }]);
  });

  test('says of every mistake where it is, what is wrong, and what would be right', () => {
    assert.deepEqual(told(undefined), [
      'spec: required: an object with one or more of mode, rules, tests, contact, reveal, identityProviderRef, identityProviderRefs, dataSets, targetRefs',
    ]);
    assert.deepEqual(told({ rules: [] }), ['spec.rules: at least 1 item is needed']);
    assert.deepEqual(told({ rules: [{ allow: { and: [{ http_method: { is: 'GET' } }] } }] }), [
      'spec.rules[0].allow.and[0].http_method: unknown field http_method; did you mean httpMethod?',
    ]);
    assert.deepEqual(told({ rules: [{ allow: { and: [{ email: { is: 'a', not: 'b' } }] } }] }), [
      'spec.rules[0].allow.and[0].email: exactly one of is, not, in, notIn, startsWith, endsWith, contains, matches, inDataSet, notInDataSet is needed',
    ]);
    assert.deepEqual(told({ rules: [{ allow: { and: [{ email: 'ana@example.com' }] } }] }), [
      'spec.rules[0].allow.and[0].email: an object with one or more of is, not, in, notIn, startsWith, endsWith, contains, matches, inDataSet, notInDataSet is wanted',
    ]);
    assert.deepEqual(told({ rules: [accept], mode: 'Off', 'a.b': 1 }), [
      'spec.mode: Enforce or Audit is wanted',
      'spec["a.b"]: unknown field a.b; mode, rules, tests, contact, reveal, identityProviderRef, identityProviderRefs, dataSets, targetRefs would be known',
    ]);
    assert.deepEqual(told({ rules: [{ allow: { or: [{ claim: { path: ['team'], has: 'a', is: 'b' } }] } }] }), [
      'spec.rules[0].allow.or[0].claim: path and exactly one of has, is, exclude, hasAnyInDataSet, hasNoneInDataSet are needed',
    ]);
    assert.deepEqual(told({ rules: [accept], tests: [{ request: { ip: '10', path: 'a?b' }, expect: 'Allow' }] }), [
      'spec.tests[0].request.ip: an address is wanted, such as 192.0.2.1',
      'spec.tests[0].request.path: a path that begins with / is wanted; what follows a ? belongs into query',
    ]);
  });

  test('does not run the tests of a policy that has a mistake in it', () => {
    const rules = [{ allow: { or: [{ sourceIp: { is: '10.0.0.0/33' } }] } }];
    assert.deepEqual(told({ rules, tests: [{ expect: 'Allow' }] }), [
      'spec.rules[0].allow.or[0].sourceIp.is: an address or a CIDR is wanted, such as 192.0.2.7 or 10.0.0.0/8',
    ]);
  });

  test('shows the first mistakes of a great many, and none at great length', () => {
    const fields = Array.from({ length: 10_000 }, (_, index) => [`${'x'.repeat(200)}${index}`, 1]);
    const { diagnostics, policy } = parsePolicy(
      objectWith({ rules: [{ ...accept, ...Object.fromEntries(fields) }], ...Object.fromEntries(fields) }),
    );
    assert.equal(diagnostics.length, 33);
    assert.equal(diagnostics.at(-1)?.message, '19968 more mistakes are not listed');
    assert.ok(diagnostics.every(({ path, message }) => path.length < 100 && message.length < 300));
    assert.ok((policy.broken ?? '').length < 400);
  });
});
