// What translation is told of Secrets and ConfigMaps: content, or why there is none; and what is noted and waited for.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { configMapText } from '../../src/translate/content.ts';
import { createWorld } from '../../src/translate/world.ts';
import { emptyInventory } from '../../src/model/objects.ts';
import type { Inventory, KubernetesObject, Reach } from '../../src/model/objects.ts';

const options = { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: false };
const object = (kind: string, content: object = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'x', namespace: 'shop' },
  ...content,
});
const name = object('PartialObjectMetadata');
const configMap = object('ConfigMap', { data: { people: '- ana@example.com' } });
const secret = object('Secret');

function worldOf(changes: Partial<Inventory>, reach: Readonly<Record<string, Reach>> = {}) {
  return createWorld({ ...emptyInventory(), ...changes, reach: new Map(Object.entries(reach)) }, options, 0);
}
const configMaps = (found: KubernetesObject) => ({ configMaps: new Map([['shop/x', found]]) });
const secrets = (found: KubernetesObject) => ({ secrets: new Map([['shop/x', found]]) });

describe('a ConfigMap that translation asks for', () => {
  const told: [string, ReturnType<typeof worldOf>, KubernetesObject | string, boolean][] = [
    ['is itself', worldOf(configMaps(configMap)), configMap, false],
    ['is missing where there is none', worldOf({}), 'missing', false],
    ['is pending while only its name is known', worldOf(configMaps(name)), 'pending', true],
    ['is pending before they are listed', worldOf({}, { configMaps: 'Pending' }), 'pending', true],
    ['is missing once they are', worldOf({}, { configMaps: 'Listed' }), 'missing', false],
    ['is forbidden, and waited for by nobody', worldOf({}, { configMaps: 'Forbidden' }), 'forbidden', false],
    ['is forbidden by itself', worldOf(configMaps(name), { 'configMaps/shop/x': 'Forbidden' }), 'forbidden', false],
    [
      'is forbidden where what it became may not be read',
      worldOf(configMaps(configMap), { 'configMaps/shop/x': 'Forbidden' }),
      'forbidden',
      false,
    ],
    [
      'is unwatched outside the namespaces served',
      worldOf({}, { configMaps: 'Unwatched', 'configMaps/other': 'Listed' }),
      'unwatched',
      false,
    ],
    [
      'is missing within the namespaces served',
      worldOf({}, { configMaps: 'Unwatched', 'configMaps/shop': 'Listed' }),
      'missing',
      false,
    ],
  ];
  for (const [sentence, world, answer, isPending] of told) {
    test(sentence, () => {
      assert.equal(world.configMap('shop', 'x'), answer);
      assert.equal(world.isPending(), isPending);
      assert.deepEqual([...world.references.configMaps], ['shop/x']);
      assert.deepEqual([...world.references.secrets], []);
    });
  }

  test('is asked of nobody under a name that none can have', () => {
    const world = worldOf({}, { configMaps: 'Pending' });
    for (const wrong of ['../other/x', 'x/y', '', 'X', 'a?b']) assert.equal(world.configMap('shop', wrong), 'missing');
    assert.equal(world.configMap('..', 'x'), 'missing');
    assert.equal(world.references.configMaps.size, 0);
    assert.equal(world.isPending(), false);
  });

  test('has text under its own keys', () => {
    assert.equal(configMapText(configMap, 'people'), '- ana@example.com');
    assert.equal(configMapText(configMap, 'constructor'), undefined);
    assert.equal(configMapText(object('ConfigMap', { binaryData: { people: 'AA==' } }), 'people'), undefined);
    assert.equal(configMapText(object('ConfigMap', { data: { people: 5 } }), 'people'), undefined);
    assert.equal(configMapText(object('ConfigMap'), 'people'), undefined);
  });
});

test('a Secret that may not be read holds nobody up, and one outside the namespaces is missing', () => {
  const forbidden = worldOf(secrets(name), { 'secrets/shop/x': 'Forbidden' });
  assert.equal(forbidden.secret('shop/x'), 'pending');
  assert.equal(forbidden.isPending(), false);
  assert.equal(worldOf({}, { secrets: 'Unwatched' }).secret('shop/x'), 'missing');
  // A certificate that cannot be fetched anew is better than none.
  assert.equal(worldOf(secrets(secret), { 'secrets/shop/x': 'Forbidden' }).secret('shop/x'), secret);
});
