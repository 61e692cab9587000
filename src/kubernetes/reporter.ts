// Tells people what came of their objects, while this replica leads: statuses, Ingress addresses, Events.
import type { IngressAddress } from '../model/addresses.ts';
import type { Logger } from '../telemetry.ts';
import { createAddressWriter } from './addresses.ts';
import type { AddressFindings } from './addresses.ts';
import type { KubernetesClient } from './client.ts';
import type { Election } from './election.ts';
import { createEventWriter } from './events.ts';
import type { EventFindings } from './events.ts';
import { createStatusWriter, fieldManagerOf } from './statuses.ts';
import type { StatusFindings, Writer } from './statuses.ts';
import { withinTerm } from './term.ts';

/** What is to be told; a Translation is one. */
export type Findings = StatusFindings & EventFindings & AddressFindings;

export interface ReporterOptions {
  readonly client: KubernetesClient;
  readonly election: Pick<Election, 'onTerm'>;
  readonly className: string;
  /** Absent: addresses are nobody's business here. */
  readonly addresses?: () => readonly IngressAddress[] | undefined;
  /**
   * Asks for findings about things as they are now. Followers compute as the leader does, but statuses that others write
   * start no round: what they saw last may be long outdated, and would be written again.
   */
  readonly refresh: () => void;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export function createReporter(options: ReporterOptions): Writer<Findings> {
  const { client, election, className, addresses, refresh, log, now = Date.now } = options;
  let writers: readonly Writer<Findings>[] = [];
  let stopped = Promise.resolve();

  /** What waited in a term is not written in the next: that begins with a look of its own. */
  function stopWriters(): void {
    const ended = writers;
    writers = [];
    stopped = Promise.all([stopped, ...ended.map((writer) => writer.stop())]).then(() => undefined);
  }

  election.onTerm((term) => {
    const common = { client: withinTerm(client, term), fieldManager: fieldManagerOf(className), log, now };
    writers = [
      createStatusWriter(common),
      createEventWriter(common),
      ...(addresses === undefined ? [] : [createAddressWriter(common, addresses)]),
    ];
    term.signal.addEventListener('abort', stopWriters);
    refresh();
  });

  return {
    report(findings, inventory) {
      for (const writer of writers) writer.report(findings, inventory);
    },
    seen(key, status) {
      for (const writer of writers) writer.seen(key, status);
    },
    async stop() {
      stopWriters();
      await stopped;
    },
  };
}
