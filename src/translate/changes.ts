// Which namespaces have to be read again: those in which something changed since the last translation, or all.
import { refusalInputs } from './refused-endpoints.ts';
import type { Cluster } from './translate.ts';
import type { PartedInventory, World } from './world.ts';
import { changedKeys, namespacePart } from '../model/shared-map.ts';

/** What a translation was made from. */
export interface Basis {
  readonly inventory: PartedInventory;
  /** Whatever concerns all namespaces, one by one: where one of them is another object, everything is read again. */
  readonly common: readonly unknown[];
  /** From when and until when, in milliseconds since the epoch, it is right. */
  readonly from: number;
  readonly until: number;
}

export interface Changes {
  readonly basis: Basis;
  readonly changed: ReadonlySet<string>;
}

/** All that an Ingress refers to is in its own namespace, or is the whole cluster's. */
const namespaced = ['ingresses', 'services', 'endpointSlices', 'secrets', 'configMaps', 'policies'] as const;

export function whatChanged(world: World, cluster: Cluster, before: Basis | undefined): Changes {
  const { inventory, now } = world;
  const common = commonOf(world, cluster);
  const isSame =
    before !== undefined &&
    now >= before.from &&
    now < before.until &&
    common.length === before.common.length &&
    common.every((one, index) => one === before.common[index]);
  const basis = { inventory, common, from: now, until: isSame ? before.until : Infinity };
  const changed = new Set<string>();
  if (!isSame) {
    for (const { ingresses, policies } of before === undefined ? [inventory] : [inventory, before.inventory]) {
      for (const name of [...ingresses.parts.keys(), ...policies.parts.keys()]) changed.add(name);
    }
    return { basis, changed };
  }
  for (const name of namespaced) {
    for (const key of changedKeys(before.inventory[name], inventory[name])) changed.add(namespacePart(key));
  }
  for (const name of changedKeys(before.inventory.namespaces, inventory.namespaces)) changed.add(name);
  return { basis, changed };
}

function commonOf(world: World, { reading, clusterPolicies }: Cluster): readonly unknown[] {
  const { inventory, options } = world;
  const { ingressClass, sallyport, isDefault, settings, defaultCertificate, hostSharing, upstream } = reading;
  return [
    options,
    inventory.reach,
    inventory.ingressClasses.get(options.className),
    ingressClass,
    sallyport,
    isDefault,
    settings,
    defaultCertificate,
    hostSharing,
    upstream,
    ...[...reading.providers.values()].flatMap((one) => [one.object, one.settings, one.allowedNamespaces]),
    ...clusterPolicies.flatMap(({ object, policy }) => [object, policy]),
    ...refusalInputs(world),
  ];
}
