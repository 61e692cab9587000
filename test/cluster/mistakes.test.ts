// Mistakes in objects of our kinds, on a real API server: each is refused with words that help, and none widens access.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { createKubernetesClient, resourcePath } from '../../src/kubernetes/client.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { kubeconfigConnection } from '../../src/kubernetes/connect.ts';
import { ApiError } from '../../src/kubernetes/errors.ts';
import { collections } from '../../src/model/objects.ts';
import type { KubernetesObject } from '../../src/model/objects.ts';
import { startApiServer } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import { installCrds } from './install.ts';
import { admitted, conditionsOf, settingsOf } from './mistakes/admitted.ts';
import { beyondTheCrd } from './mistakes/beyond-the-crd.ts';
import { clusterPolicyMistakes } from './mistakes/cluster-policies.ts';
import { identityProviderMistakes } from './mistakes/identity-providers.ts';
import type { Mistake } from './mistakes/mistake.ts';
import { policyMistakes } from './mistakes/policies.ts';
import { policyLanguageMistakes } from './mistakes/policy-language.ts';
import { sallyportMistakes } from './mistakes/sallyports.ts';

const tables: Readonly<Record<string, readonly Mistake[]>> = {
  Policy: [...policyMistakes, ...policyLanguageMistakes],
  ClusterPolicy: clusterPolicyMistakes,
  IdentityProvider: identityProviderMistakes,
  Sallyport: sallyportMistakes,
};

/**
 * What cannot be prevented: the API server drops these fields before anything of ours sees the object, if its client asks
 * for no validation (kubectl and every server-side apply do). Nobody is let in by it; a setting keeps its default.
 */
const residue = new Map([
  ['sessions misspelt, so that they would live for longer', 'sessions live for the default 14h'],
  ['timeouts misspelt', 'timeouts are the default ones'],
  ['trusted proxies misspelt', 'no proxy is believed'],
  ['the authentication host misspelt, so that each host would sign in for itself', 'each host signs in for itself'],
]);

const accepted = new Set<string>();
let server: ApiServer;
let client: KubernetesClient;

before(async () => {
  server = await startApiServer();
  client = createKubernetesClient(await kubeconfigConnection(server.kubeconfigPath));
  await installCrds(server);
});
after(() => server?.stop());

function objectOf(kind: string, spec: string, name = 'subject'): KubernetesObject {
  const namespace = kind === 'Policy' ? { namespace: 'default' } : {};
  return { apiVersion: 'sallyport.dev/v1alpha1', kind, metadata: { name, ...namespace }, spec: parse(spec) as unknown };
}

/** What `kubectl apply` says of it, up to the moment of storing. */
function kubectlApply(object: KubernetesObject) {
  return server.kubectl(['apply', '-f', '-', '--dry-run=server'], JSON.stringify(object));
}

const paths = {
  Policy: resourcePath(collections.policies, { namespace: 'default' }),
  ClusterPolicy: resourcePath(collections.clusterPolicies, {}),
  IdentityProvider: resourcePath(collections.identityProviders, {}),
  Sallyport: resourcePath(collections.sallyports, {}),
};

/** The object as it would be stored, asked for as kubectl asks (KEP-2885) and without its half second; or why it is not. */
async function apply(object: KubernetesObject, fieldValidation: 'Strict' | 'Ignore' = 'Strict') {
  const path = paths[object.kind as keyof typeof paths];
  try {
    const { body } = await client.request('POST', path, { body: object, query: { dryRun: 'All', fieldValidation } });
    const { metadata: _, status: __, ...stored } = body as KubernetesObject;
    return { stored: { ...stored, metadata: object.metadata } as KubernetesObject, refusal: '' };
  } catch (error) {
    assert.ok(error instanceof ApiError && error.status >= 400 && error.status < 500, String(error));
    return { stored: undefined, refusal: error.message };
  }
}

type Applied = Awaited<ReturnType<typeof apply>>;
const meanings = new Map<string, Promise<Applied>>();

/** What was meant, applied once: many a mistake is one of the same thing. */
function applyMeant(kind: string, right: string): Promise<Applied> {
  const key = `${kind} ${right}`;
  const known = meanings.get(key) ?? apply(objectOf(kind, right));
  meanings.set(key, known);
  return known;
}

for (const [kind, table] of Object.entries(tables)) {
  describe(`a ${kind} with a mistake`, () => {
    for (const { mistake, wrong, right, says } of table) {
      test(mistake, async (context) => {
        const object = objectOf(kind, wrong);
        const refused = await kubectlApply(object);
        assert.notEqual(refused.code, 0, 'kubectl apply refuses it');
        assert.match(refused.stderr, says);

        const meant = await applyMeant(kind, right);
        assert.equal(meant.refusal, '', 'what was meant is accepted');
        const { stored } = await apply(object, 'Ignore');
        if (stored === undefined || meant.stored === undefined) return;
        const intended = admitted(meant.stored);
        assert.deepEqual(
          [...admitted(stored)].filter((one) => !intended.has(one)),
          [],
          'nobody is let in who was not to be',
        );
        const changed = JSON.stringify(settingsOf(stored)) !== JSON.stringify(settingsOf(meant.stored));
        assert.equal(changed, residue.has(mistake), `settings ${changed ? 'differ' : 'are as meant'}`);
        accepted.add(mistake);
        context.diagnostic(`accepted without validation: ${residue.get(mistake) ?? 'and lets nobody else in'}`);
      });
    }
  });
}

describe('a Policy with a mistake that the API server cannot know', () => {
  for (const { mistake, wrong, right, says } of beyondTheCrd) {
    test(`${mistake}: its status says so, and nobody is let in by it`, async () => {
      const { refusal, stored } = await apply(objectOf('Policy', wrong));
      assert.equal(refusal, '');
      const meant = await applyMeant('Policy', right);
      assert.equal(meant.refusal, '');
      assert.ok(stored !== undefined && meant.stored !== undefined);
      const said = conditionsOf(stored);
      assert.ok(
        said.some((message) => says.test(message)),
        said.join('\n'),
      );
      assert.deepEqual(conditionsOf(meant.stored), [], 'what was meant has no fault');
      const intended = admitted(meant.stored);
      assert.deepEqual(
        [...admitted(stored)].filter((one) => !intended.has(one)),
        [],
      );
    });
  }
});

test('there are at least 160 mistakes, each of one name', () => {
  const names = Object.entries(tables).flatMap(([kind, table]) => table.map(({ mistake }) => `${kind}: ${mistake}`));
  assert.ok(names.length >= 160, String(names.length));
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(
    [...residue.keys()].filter((name) => !accepted.has(name)),
    [],
    'what is said to be unpreventable still is',
  );
});
