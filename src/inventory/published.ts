// Follows the Service under whose addresses people reach this installation.
import type { KubernetesClient } from '../kubernetes/client.ts';
import { addressesOf } from '../model/addresses.ts';
import type { IngressAddress } from '../model/addresses.ts';
import { collections } from '../model/objects.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import type { RawObject } from './cache.ts';
import { watchKind } from './watch.ts';

export interface PublishedService {
  /** Nothing: not known yet, or no more, and what is written stands. */
  addresses(): readonly IngressAddress[] | undefined;
  stop(): Promise<void>;
}

export interface PublishedServiceOptions {
  readonly client: KubernetesClient;
  readonly namespace: string;
  readonly name: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Called when the addresses are others. */
  onChange(): void;
}

export function followPublishedService(options: PublishedServiceOptions): PublishedService {
  const { client, namespace, name, log, metrics, onChange } = options;
  let addresses: readonly IngressAddress[] | undefined;

  // One that is deleted and made anew has other addresses soon: 10,000 Ingresses need not lose theirs between.
  function gone(): void {
    log.warn(
      { service: `${namespace}/${name}` },
      '--publish-service: there is no such Service; addresses stay as they are',
    );
  }

  function seen(service: RawObject): void {
    const found = addressesOf(service);
    if (JSON.stringify(found) === JSON.stringify(addresses)) return;
    addresses = found;
    const what = { service: `${namespace}/${name}`, addresses };
    if (found.length > 0) log.info(what, 'publishing addresses');
    else log.warn(what, '--publish-service: the Service has no address that could be published');
    onChange();
  }

  const watch = watchKind({
    client,
    type: collections.services,
    namespace,
    fieldSelector: `metadata.name=${name}`,
    sink: {
      listed(services) {
        const [service] = services;
        if (service === undefined) gone();
        else seen(service);
      },
      changed: seen,
      deleted: gone,
      forbidden: () => undefined,
    },
    log: log.child({ publish: true }),
    metrics,
  });
  return { addresses: () => addresses, stop: () => watch.stop() };
}
