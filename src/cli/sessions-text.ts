// Sessions for people: a table, everything about one, and what came of ending some.
import { columns, printable } from './layout.ts';
import type { ListedSession } from '../auth/revocation/roster.ts';
import type { Outcome } from './revoke.ts';

/** To the minute, in UTC. */
const timeText = (at: number | undefined) => (at === undefined ? '?' : `${new Date(at).toISOString().slice(0, 16)}Z`);

export function rosterText(sessions: readonly ListedSession[], max = Infinity): string {
  if (sessions.length === 0) return 'No session is found.';
  const rows = sessions
    .slice(0, max)
    .map(({ id, person, provider, device, createdAt, usedAt, expiresAt }) => [
      id,
      person ?? '?',
      provider ?? '?',
      device ?? '?',
      timeText(createdAt),
      timeText(usedAt),
      timeText(expiresAt),
    ]);
  const header = ['ID', 'PERSON', 'PROVIDER', 'DEVICE', 'SINCE', 'LAST USED', 'EXPIRES'];
  const more = sessions.length - rows.length;
  return [...columns([header, ...rows]).map(printable), ...(more > 0 ? [`… and ${more} more`] : [])].join('\n');
}

export function sessionText(session: ListedSession): string {
  const { id, person, user, provider, device, userAgent, address, createdAt, usedAt, refreshedAt, expiresAt } = session;
  if (person === undefined) {
    return `ID       ${id}\nEXPIRES  ${timeText(expiresAt)}\n\nIt was sealed by a key that the ring does not hold: nobody can use it, and it may be ended.`;
  }
  return columns([
    ['ID', id],
    ['PERSON', person],
    ['USER', user ?? '?'],
    ['PROVIDER', provider ?? '?'],
    ['DEVICE', `${device ?? '?'}${userAgent === undefined ? '' : ` (${userAgent})`}`],
    ['ADDRESS', address ?? '?'],
    ['SINCE', timeText(createdAt)],
    ['LAST USED', timeText(usedAt)],
    ...(refreshedAt === undefined ? [] : [['REFRESHED', timeText(refreshedAt)]]),
    ['EXPIRES', timeText(expiresAt)],
  ])
    .map(printable)
    .join('\n');
}

export function outcomeText(outcome: Outcome, replicas: number | undefined): string {
  const { found, ended, absent, failed, reason, tookMs } = outcome;
  return [
    `Ended ${ended} of ${found} ${found === 1 ? 'session' : 'sessions'} in ${tookMs} ms.`,
    ...(absent > 0 ? [`${absent} had ended already.`] : []),
    ...(failed.length > 0
      ? [`${failed.length} did not end: ${reason ?? 'nobody knows why'}. Run the command again.`]
      : []),
    ...(failed.length < found ? confirmedLines(outcome, replicas) : []),
  ]
    .map(printable)
    .join('\n');
}

function confirmedLines({ confirmed, untold }: Outcome, replicas: number | undefined): readonly string[] {
  if (untold !== undefined) return [`No replica was asked to confirm it: ${untold}.`];
  const count = confirmed.length;
  const wanted = replicas === undefined ? '' : ` of ${replicas}`;
  const title =
    count === 0
      ? 'No replica confirmed it within three seconds: their logs say why.'
      : `Confirmed by ${count}${wanted} ${(replicas ?? count) === 1 ? 'replica' : 'replicas'}, which let nobody in with them and have closed their open streams:`;
  return [title, ...columns(confirmed.map(({ replica, afterMs }) => [`  ${replica}`, `after ${afterMs} ms`]))];
}
