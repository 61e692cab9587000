// The control loop: each inventory is translated, published, reported. What publishes and reports is a parameter.
import type { Inventory, References } from './model/objects.ts';
import type { Logger, Metrics } from './telemetry.ts';
import { firstToExpire } from './translate/certificate.ts';
import { departures, isOver } from './translate/departures.ts';
import type { Departure } from './translate/departures.ts';
import { translate } from './translate/translate.ts';
import type { TranslateOptions, Translation } from './translate/translate.ts';

export interface ControllerOptions {
  readonly translate: TranslateOptions;
  /** Says what translation referred to: that content is fetched, and another inventory follows. */
  readonly reference: (references: References) => void;
  /** Hands the translation to the other roles. */
  readonly publish: (translation: Translation) => void;
  /** Tells people: statuses, Events, log lines. */
  readonly report: (translation: Translation, inventory: Inventory) => void;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface Controller {
  /** Takes an inventory: one round. */
  readonly onInventory: (inventory: Inventory) => void;
  stop(): void;
}

// Content that was named just now arrives within milliseconds. One that cannot be fetched holds up the others no longer
// than this.
const pendingMs = 1_000;
// At the start some thousand certificates are awaited together, and nothing is served that would have to wait: 2,000 take 4 s.
const firstPendingMs = 10_000;
// Time alone makes a data set stale, and a certificate expire: requests are judged by the second, and people told by the minute.
const repeatMs = 60_000;
// A look at the certificates of 10,000 hosts takes some 5 ms: not after each of many changes a second.
const expiryMs = 1_000;
// As long as an API server keeps the Event.
const departureMs = 3_600_000;

export function createController(options: ControllerOptions): Controller {
  const { log, metrics, now = Date.now } = options;
  let latest: Inventory | undefined;
  let overdue: NodeJS.Timeout | undefined;

  let translated: Translation | undefined;
  let published: Translation | undefined;
  let departed: readonly (Departure & { readonly until: number })[] = [];

  /** With the policies that went since we began: one translation alone cannot know of them. */
  const withDepartures = (translation: Translation): Translation => {
    const at = now();
    const gone = published === undefined ? [] : departures(published, translation);
    departed = [
      ...departed.filter((one) => at < one.until && !isOver(translation, one)),
      ...gone.map((one) => ({ ...one, until: at + departureMs })),
    ];
    published = translation;
    if (departed.length === 0) return translation;
    return { ...translation, diagnostics: [...translation.diagnostics, ...departed.map((one) => one.diagnostic)] };
  };

  let expiry: NodeJS.Timeout | undefined;
  const measureExpiry = () => {
    if (published === undefined) return;
    metrics.certificateExpiry.reset();
    for (const { name, expiresAt } of firstToExpire(published.hosts.values(), published.defaultCertificate, 20)) {
      metrics.certificateExpiry.set({ secret: name }, expiresAt / 1000);
    }
  };

  const finish = (found: Translation, inventory: Inventory) => {
    clearTimeout(overdue);
    overdue = undefined;
    const translation = withDepartures(found);
    options.publish(translation);
    options.report(translation, inventory);
    if (expiry === undefined) measureExpiry();
    expiry ??= setTimeout(() => {
      expiry = undefined;
      measureExpiry();
    }, expiryMs).unref();
    for (const severity of ['error', 'warning'] as const) {
      metrics.diagnostics.set({ severity }, translation.diagnostics.filter((one) => one.severity === severity).length);
    }
  };

  const round = (isOverdue: boolean) => {
    if (latest === undefined) return;
    const inventory = latest;
    const end = metrics.roundSeconds.startTimer();
    const earlier = translated;
    const translation = translate(inventory, options.translate, now(), earlier);
    translated = translation;
    const seconds = end();
    metrics.translatedIngresses.inc(translation.translatedIngresses);
    metrics.rounds.inc();
    log.debug({ ms: Math.round(seconds * 1e5) / 100, hosts: translation.hosts.size }, 'translated');
    if (translation.references !== earlier?.references) options.reference(translation.references);
    if (!translation.isPending || isOverdue) finish(translation, inventory);
    else overdue ??= setTimeout(() => round(true), published === undefined ? firstPendingMs : pendingMs).unref();
  };

  const repeat = setInterval(() => round(false), repeatMs).unref();

  return {
    onInventory: (inventory) => {
      latest = inventory;
      round(false);
    },
    stop: () => {
      clearInterval(repeat);
      clearTimeout(overdue);
      clearTimeout(expiry);
      latest = undefined;
    },
  };
}
