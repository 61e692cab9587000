// A Lease: taken, renewed and given back by the algorithm of client-go's leaderelection.
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { ResourceType } from '../model/objects.ts';
import { ApiError, resourcePath } from './client.ts';
import type { KubernetesClient } from './client.ts';
import type { Clocks, Moment } from './term.ts';

export interface Timings {
  /** How long others wait after the last renewal that they saw. */
  readonly leaseMs: number;
  /** How long the holder believes that it holds it; the rest of `leaseMs` is for what is under way. */
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

export interface LeaseOptions {
  readonly client: KubernetesClient;
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly clocks: Clocks;
  readonly timings: Timings;
}

export interface Lease {
  /** Who holds it, as far as we have seen; empty for nobody. */
  holder(): string;
  /**
   * @param isHolding Whether we believe that we hold it.
   * @returns Since when we hold it (anew); nothing where somebody else does. @throws {ApiError}
   */
  takeOrRenew(isHolding: boolean): Promise<Moment | undefined>;
  /** Lets others have it at once. @throws {ApiError} */
  release(): Promise<void>;
}

const leaseType: ResourceType = {
  kind: 'Lease',
  group: 'coordination.k8s.io',
  version: 'v1',
  resource: 'leases',
  namespaced: true,
};

const leaseSpec = z.object({
  holderIdentity: z.string().nullish(),
  leaseDurationSeconds: z.number().nullish(),
  acquireTime: z.string().nullish(),
  renewTime: z.string().nullish(),
  leaseTransitions: z.number().nullish(),
});
const leaseObject = z.object({ metadata: z.looseObject({ resourceVersion: z.string() }), spec: leaseSpec });
type LeaseObject = z.infer<typeof leaseObject>;
type LeaseSpec = z.infer<typeof leaseSpec>;

export function createLease({ client, namespace, name, identity, clocks, timings }: LeaseOptions): Lease {
  const path = resourcePath(leaseType, { namespace, name });
  /** As we last saw it, and when we saw that it had changed: other people's clocks are not compared with ours. */
  let observed: { readonly lease: LeaseObject; readonly atMs: number } | undefined;

  const holder = () => observed?.lease.spec.holderIdentity ?? '';

  async function request(method: string, at: string, body?: unknown): Promise<void> {
    const answer = await client.request(method, at, { body, timeoutMs: timings.renewDeadlineMs / 2 });
    const parsed = leaseObject.safeParse(answer.body);
    if (!parsed.success) throw new ApiError({ code: 'Unavailable', status: 0, message: `${method} ${at}: no Lease` });
    const isSame = observed !== undefined && isDeepStrictEqual(observed.lease.spec, parsed.data.spec);
    observed = { lease: parsed.data, atMs: isSame && observed ? observed.atMs : clocks.read().monotonicMs };
  }

  /** Only over the version that we saw: of those who try together, one succeeds. */
  async function write(spec: LeaseSpec): Promise<void> {
    const head = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
    if (observed !== undefined) return request('PUT', path, { ...head, metadata: observed.lease.metadata, spec });
    const metadata = { name, namespace, labels: { 'app.kubernetes.io/managed-by': 'sallyport' } };
    return request('POST', resourcePath(leaseType, { namespace }), { ...head, metadata, spec });
  }

  /** A renewal keeps since when we hold it, a take-over counts as a transition. */
  async function hold(): Promise<Moment> {
    // Before we ask: what the server notes is later, and what others see later still.
    const from = clocks.read();
    const now = microTime(from.wallMs);
    const before = observed?.lease.spec;
    const isRenewal = holder() === identity;
    await write({
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(timings.leaseMs / 1000),
      acquireTime: isRenewal ? (before?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (before?.leaseTransitions ?? 0) + (isRenewal || before === undefined ? 0 : 1),
    });
    return from;
  }

  /** Whether it may be ours, after a look. */
  async function isFree(): Promise<boolean> {
    const isThere = await request('GET', path).then(
      () => true,
      (error: unknown) => {
        if (error instanceof ApiError && error.code === 'NotFound') return false;
        throw error;
      },
    );
    if (!isThere) observed = undefined;
    if (observed === undefined || holder() === '' || holder() === identity) return true;
    const { leaseDurationSeconds } = observed.lease.spec;
    return clocks.read().monotonicMs >= observed.atMs + (leaseDurationSeconds ?? 0) * 1000;
  }

  return {
    holder,
    async takeOrRenew(isHolding) {
      // Its holder does not look first, which saves half of the requests; whatever has happened meanwhile is a Conflict.
      const renewed = isHolding && holder() === identity ? await unlessConflict(hold()) : undefined;
      if (renewed !== undefined) return renewed;
      return (await isFree()) ? unlessConflict(hold()) : undefined;
    },
    async release() {
      if (observed === undefined || holder() !== identity) return;
      const now = microTime(clocks.read().wallMs);
      // As ReleaseOnCancel: nobody holds it, and a second for those who look at the duration alone.
      const { spec } = observed.lease;
      await write({ ...spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now });
    },
  };
}

/** Six digits, or the API server refuses it. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

/** Somebody was faster, or our own last write was done and its answer lost. */
async function unlessConflict<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch((error: unknown) => {
    if (error instanceof ApiError && error.code === 'Conflict') return undefined;
    throw error;
  });
}
