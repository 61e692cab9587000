// Mistakes in objects of our kinds, on a real API server: each is refused with words that help, and none widens access.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
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

before(async () => {
  server = await startApiServer();
  await installCrds(server);
});
after(() => server?.stop());

function objectOf(kind: string, spec: string, name = 'subject'): KubernetesObject {
  const namespace = kind === 'Policy' ? { namespace: 'default' } : {};
  return { apiVersion: 'sallyport.dev/v1alpha1', kind, metadata: { name, ...namespace }, spec: parse(spec) as unknown };
}

/** `kubectl apply`, up to the moment of storing, and the object as it would be stored. */
async function apply(object: KubernetesObject, ...flags: readonly string[]) {
  const args = ['apply', '-f', '-', '-o', 'json', '--dry-run=server', ...flags];
  const result = await server.kubectl(args, JSON.stringify(object));
  if (result.code !== 0) return { ...result, stored: undefined };
  const { metadata: _, status: __, ...stored } = JSON.parse(result.stdout) as KubernetesObject;
  return { ...result, stored: { ...stored, metadata: object.metadata } as KubernetesObject };
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
        const refused = await apply(object);
        assert.notEqual(refused.code, 0, 'kubectl apply refuses it');
        assert.match(refused.stderr, says);

        const meant = await applyMeant(kind, right);
        assert.equal(meant.code, 0, `what was meant is accepted: ${meant.stderr}`);
        const { stored } = await apply(object, '--validate=ignore');
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
      const { code, stderr, stored } = await apply(objectOf('Policy', wrong));
      assert.equal(code, 0, stderr);
      const meant = await applyMeant('Policy', right);
      assert.equal(meant.code, 0, meant.stderr);
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
