// Writes into the Ingresses of our class under which addresses they are reached, and takes them out of those that have left it.
import { isDeepStrictEqual } from 'node:util';
import type { IngressAddress, PublishedStatus } from '../model/addresses.ts';
import { collections, objectKey } from '../model/objects.ts';
import type { Inventory, KubernetesObject } from '../model/objects.ts';
import { resourcePath } from './client.ts';
import { createWriteQueue } from './queue.ts';
import type { Writer, WriterOptions } from './statuses.ts';

export interface AddressFindings {
  /** Those of our class. */
  readonly ingresses: readonly KubernetesObject[];
}

/** 10,000 Ingresses that get another address are written in 200 s: others use the API server, too. */
const limits = { waiting: 10_000, concurrent: 2, perMinute: 3000 };
/** A look at 10,000 Ingresses takes some 3 ms: not after each of many changes a second. */
const restMs = 250;
/** As with other statuses: two who disagree write no faster. */
const overwrittenMs = 5_000;
const type = collections.ingresses;

/** @param addresses Those of now; nothing: not known yet, so nothing is written. */
export function createAddressWriter(
  { client, fieldManager, log, now }: WriterOptions,
  addresses: () => readonly IngressAddress[] | undefined,
): Writer<AddressFindings> {
  const queue = createWriteQueue(limits, log, now);
  let latest: { readonly findings: AddressFindings; readonly inventory: Inventory } | undefined;
  let rest: NodeJS.Timeout | undefined;
  /** What the watch has shown since the inventory. */
  let lookedAt = -Infinity;
  const shown = new Map<string, unknown>();
  /** What we wrote over which status, for as long as the watch has not shown another. */
  const written = new Map<string, { readonly over: unknown; readonly addresses: readonly IngressAddress[] }>();

  /** Another class's Ingress is none of ours, unless it says what we wrote when it was. */
  function isSaid(key: string, seen: PublishedStatus | undefined, wanted: readonly IngressAddress[] | undefined) {
    const last = written.get(key);
    if (last !== undefined && last.over === seen) return isDeepStrictEqual(last.addresses, wanted ?? []);
    const isOurs = seen?.writers?.includes(fieldManager) === true;
    if (wanted === undefined || wanted.length === 0) return !isOurs;
    return isDeepStrictEqual(seen?.addresses ?? [], wanted);
  }

  function look(): void {
    rest = undefined;
    lookedAt = now();
    const known = addresses();
    if (latest === undefined || known === undefined) return;
    const { findings, inventory } = latest;
    const ours = new Set(findings.ingresses);
    for (const object of inventory.ingresses.values()) {
      const key = `Ingress/${objectKey(object.metadata)}`;
      const seen = (shown.has(key) ? shown.get(key) : inventory.statuses.get(key)) as PublishedStatus | undefined;
      const wanted = ours.has(object) ? known : undefined;
      if (isSaid(key, seen, wanted)) queue.drop(key);
      else queue.add(key, { what: key, send: (signal) => write(object, wanted ?? [], seen, signal) });
    }
    for (const key of written.keys()) {
      if (!inventory.ingresses.has(key.slice('Ingress/'.length))) written.delete(key);
    }
  }

  /** An apply without addresses gives up those that we own, and touches nobody else's. */
  async function write(
    { apiVersion, kind, metadata: { name, namespace, uid } }: KubernetesObject,
    wanted: readonly IngressAddress[],
    seen: PublishedStatus | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    await client.request('PATCH', resourcePath(type, { namespace, name, subresource: 'status' }), {
      query: { fieldManager, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body: {
        apiVersion,
        kind,
        metadata: { name, namespace, uid },
        status: wanted.length === 0 ? {} : { loadBalancer: { ingress: wanted } },
      },
      signal,
    });
    written.set(`Ingress/${namespace ?? ''}/${name}`, { over: seen, addresses: wanted });
  }

  return {
    report(findings, inventory) {
      latest = { findings, inventory };
      shown.clear();
      clearTimeout(rest);
      rest = setTimeout(look, Math.max(0, restMs - (now() - lookedAt)));
    },
    seen(key, status) {
      if (!key.startsWith('Ingress/')) return;
      shown.set(key, status);
      rest ??= setTimeout(look, overwrittenMs);
    },
    async stop() {
      clearTimeout(rest);
      await queue.stop();
    },
  };
}
