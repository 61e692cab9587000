// Refreshing a session once, whoever asks: a marker in its record comes before the call to the provider, and what comes back is written by whoever set it.
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Ticket } from '../cookie.ts';
import { ProviderError } from '../provider/error.ts';
import type { Provider, Refreshed } from '../provider/provider.ts';
import { sealSession } from './record.ts';
import type { SessionBody } from './record.ts';
import { claimsUntil, endOfUse, readSession } from './session.ts';
import type { ReadSession, SessionLife } from './session.ts';
import type { KeyRing } from '../../model/settings.ts';
import { StoreError } from '../../sessions/store.ts';
import type { Store } from '../../sessions/store.ts';
import type { Logger, Metrics } from '../../telemetry.ts';

/** One session that is due. */
export interface RefreshJob {
  readonly ticket: Ticket;
  /** Of the claims that were found to be due; others are the work of another replica. */
  readonly claimsAt: number;
  readonly provider: Provider;
  readonly ring: KeyRing;
  readonly life: SessionLife;
}

/**
 * - `Refreshed`: by us, or by another replica while we waited; read it again.
 * - `Unavailable`: nothing was spent. The provider or the store does not answer; try later.
 * - `Orphaned`: somebody set the marker and never came back, so the refresh token may be used up. It is not sent again.
 * - `Ended`: the provider ended it, or somebody here did.
 */
export type RefreshOutcome = 'Refreshed' | 'Unavailable' | 'Orphaned' | 'Ended';

export interface Refresher {
  /** Whoever asks for a session that is being refreshed shares the answer. Never throws for what a provider or a store does. */
  refresh(job: RefreshJob): Promise<RefreshOutcome>;
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>;
}

export interface RefresherOptions {
  readonly store: Store;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'refreshes'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How long a marker that does not move is waited for. */
  readonly lockMs?: number;
}

/** A marker is moved so often while its owner lives. */
const renewals = 3;
/** Clocks of replicas differ by less. */
const oldMs = 60_000;
const pollMs = 100;
/** Calls to providers at once; whoever comes then is served as while the provider is away, and tries again. */
const maxRunning = 64;
/** A provider that failed is left alone for so long: not each session needs to find out by itself. */
const backOffMs = 5_000;
/** New tokens that cannot be written are not given up at once: without them the session could not be refreshed again. */
const keepTryingMs = 30_000;
const retryMs = 500;

/** Whether a marker is so old that nobody needs to be waited for. */
export function isAbandoned({ attempt }: SessionBody, now: number): boolean {
  return attempt !== undefined && Math.abs(now - attempt.at) > oldMs;
}

export function createRefresher(options: RefresherOptions): Refresher {
  const { metrics, now } = options;
  const running = new Map<string, Promise<RefreshOutcome>>();
  const waitUntil = new Map<string, number>();
  // Should a failing store lose a marker, this process at least does not send the token twice.
  const spent = new LRUCache<string, true>({ max: 10_000 });
  const failed = (provider: Provider) => void waitUntil.set(provider.settings.name, now() + backOffMs);

  async function refresh(job: RefreshJob): Promise<RefreshOutcome> {
    const { provider } = job;
    if (now() < (waitUntil.get(provider.settings.name) ?? 0)) return 'Unavailable';
    let outcome: RefreshOutcome;
    try {
      outcome = await refreshOnce({ ...options, ...job, spent, failed: () => failed(provider) });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      outcome = 'Unavailable';
    }
    metrics.refreshes.inc({ outcome });
    return outcome;
  }

  return {
    refresh(job) {
      const { id } = job.ticket;
      const known = running.get(id);
      if (known !== undefined) return known;
      if (running.size >= maxRunning) return Promise.resolve('Unavailable');
      const begun = refresh(job).finally(() => running.delete(id));
      running.set(id, begun);
      return begun;
    },
    async close() {
      await Promise.allSettled(running.values());
    },
  };
}

interface Work extends RefresherOptions, RefreshJob {
  readonly spent: LRUCache<string, true>;
  readonly failed: () => void;
}

async function refreshOnce(work: Work): Promise<RefreshOutcome> {
  const { store, ticket, provider, spent, log, failed } = work;
  const read = await settled(work);
  if (read === 'Orphaned' || read === 'Refreshed') return read;
  if (read === undefined) return 'Ended';
  if (read.body.claimsAt !== work.claimsAt) return 'Refreshed';
  const { refreshToken } = read.body.tokens;
  if (refreshToken === undefined || spent.has(hash(refreshToken))) return 'Orphaned';
  const attempt = { id: randomUUID(), at: work.now() };
  // Somebody else was faster, and is waited for.
  if (!(await replace(work, read, { ...read.body, attempt }))) return refreshOnce(work);
  const stopRenewing = renew(work, attempt.id);
  try {
    const { subject, identity, tokens } = read.body;
    const refreshed = await provider.refresh({ subject, identity, tokens }, work.now());
    if (refreshed.tokens.refreshToken !== refreshToken) spent.set(hash(refreshToken), true);
    return await amend(work, attempt.id, (body) => renewed(body, refreshed, work.now()));
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    const { code } = error;
    if (code === 'unavailable' || (code === 'unknown' && read.body.keepsToken === true)) {
      await amend(work, attempt.id, withoutAttempt);
      log.warn({ err: error }, 'sessions are not refreshed: the identity provider does not answer');
      failed();
      return 'Unavailable';
    }
    spent.set(hash(refreshToken), true);
    log.warn({ err: error, session: ticket.id.slice(0, 8) }, 'a session was not refreshed');
    if (code === 'unknown') {
      // Nobody needs to wait for us.
      await amend(work, attempt.id, (body) => ({ ...body, attempt: { ...attempt, at: 0 } }));
      return 'Orphaned';
    }
    await store.remove('session', ticket.id);
    return 'Ended';
  } finally {
    stopRenewing();
  }
}

const hash = (token: string) => createHash('sha256').update(token).digest('base64');

function withoutAttempt(marked: SessionBody): SessionBody {
  const { attempt: _, ...body } = marked;
  return body;
}

function renewed(body: SessionBody, { identity, tokens, tokensExpireAt }: Refreshed, now: number): SessionBody {
  const { claimsUntil: _, ...before } = withoutAttempt(body);
  const keepsToken = tokens.refreshToken === body.tokens.refreshToken;
  return { ...before, identity, tokens, claimsAt: now, keepsToken, ...claimsUntil(tokens, tokensExpireAt, now) };
}

/**
 * The session when no other refresh of it is under way. A marker is waited for as long as it moves, by our own clock: that
 * of whoever set it may be another.
 */
async function settled(work: Work): Promise<ReadSession | 'Refreshed' | 'Orphaned' | undefined> {
  const { store, ring, ticket, now, lockMs = 10_000 } = work;
  let seen: SessionBody['attempt'];
  let seenAt = now();
  for (;;) {
    const read = await readSession(store, ring, ticket);
    const attempt = read?.body.attempt;
    if (read === undefined || attempt === undefined)
      return read !== undefined && seen !== undefined ? 'Refreshed' : read;
    if (attempt.id !== seen?.id || attempt.at !== seen.at) [seen, seenAt] = [attempt, now()];
    if (now() - seenAt >= lockMs) return 'Orphaned';
    await sleep(pollMs, undefined, { ref: false });
  }
}

/** Moves the marker while the provider is being asked. Returns how to stop. */
function renew(work: Work, attemptId: string): () => void {
  const timer = setInterval(
    () => {
      const at = work.now();
      amendOnce(work, attemptId, (body) => ({ ...body, attempt: { id: attemptId, at } })).catch((error: unknown) =>
        work.log.debug({ err: error }, 'the marker of a refresh was not moved'),
      );
    },
    (work.lockMs ?? 10_000) / renewals,
  ).unref();
  return () => clearInterval(timer);
}

/** Writes a change of whoever set the marker. Another's marker, or a session that has ended, is left as it is. */
async function amend(
  work: Work,
  attemptId: string,
  change: (body: SessionBody) => SessionBody,
): Promise<'Refreshed' | 'Ended' | 'Unavailable'> {
  const until = performance.now() + keepTryingMs;
  for (;;) {
    try {
      return await amendOnce(work, attemptId, change);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (performance.now() > until) return 'Unavailable';
      await sleep(retryMs, undefined, { ref: false });
    }
  }
}

async function amendOnce(
  work: Work,
  attemptId: string,
  change: (body: SessionBody) => SessionBody,
): Promise<'Refreshed' | 'Ended'> {
  const { store, ring, ticket } = work;
  for (;;) {
    const read = await readSession(store, ring, ticket);
    if (read === undefined) return 'Ended';
    // The fence: who was taken for dead, and lives, writes nothing over what came after it.
    if (read.body.attempt?.id !== attemptId) return 'Refreshed';
    if (await replace(work, read, change(read.body))) return 'Refreshed';
  }
}

function replace({ store, ring, ticket, life, now }: Work, read: ReadSession, body: SessionBody): Promise<boolean> {
  const at = now();
  const record = sealSession(ring, ticket, body, { expiresAt: endOfUse(body, at, life), usedAt: at });
  return store.replace(record, read.found.revision);
}
