// `sallyport sessions`: who is signed in, and ending it now, asked of a running instance.
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import type { OperatorsQuestion } from '../auth/revocation/operations.ts';
import type { ListedSession, Roster, Which } from '../auth/revocation/roster.ts';
import { askAdmin } from './admin.ts';
import type { AdminTarget } from './admin.ts';
import { messageOf, revoke } from './revoke.ts';
import type { Outcome } from './revoke.ts';
import { outcomeText, rosterText, sessionText } from './sessions-text.ts';
import { UsageError } from './settings.ts';

export const sessionsHelp = `sallyport sessions list|show|revoke: who is signed in, and ending it now

  --person EMAIL        Of this person: an e-mail address as the provider writes it, or its name for them.
  --id ID               This one, by its id or the first eight letters or more, as logs print them.
  --provider NAME       Those that began at this IdentityProvider.
  --all                 All there are.
  --admin URL           The instance that is asked; any replica will do. [http://127.0.0.1:9090]
  --admin-token-file FILE   Where its token is. [as its --admin-token-file]
  -o, --output text|json
  --yes                 With revoke: does not ask first. Wanted where there is no terminal to ask at.
  --replicas N          With revoke: so many replicas must confirm, else the exit code is 1.

One of --person, --id, --provider and --all says which sessions are meant. What begins after it was asked for goes on.
LAST USED is as it was last noted: at most a quarter of the idle timeout ago, or where there is none at a refresh.

Exit code: 0, 1 a failure, 2 wrong usage. With revoke 1 where some go on, or fewer replicas confirmed than must, or none.
`;

const options = {
  person: { type: 'string' },
  id: { type: 'string' },
  provider: { type: 'string' },
  all: { type: 'boolean' },
  admin: { type: 'string', default: 'http://127.0.0.1:9090' },
  'admin-token-file': { type: 'string' },
  output: { type: 'string', short: 'o', default: 'text' },
  yes: { type: 'boolean' },
  replicas: { type: 'string' },
} as const;

/** Where whoever runs the command sits. */
export interface Terminal {
  /** Whether there is somebody to ask. */
  readonly isPresent: boolean;
  ask(question: string): Promise<string>;
  /** How far it is, beside the answer. */
  note(text: string): void;
}

interface Wanted {
  readonly command: 'list' | 'show' | 'revoke';
  readonly which: Which;
  readonly target: AdminTarget;
  readonly isJson: boolean;
  readonly yes: boolean;
  readonly replicas?: number;
}

const shownAtMost = 20;

/** Prints the answer; returns the exit code. @throws {UsageError} */
export async function sessions(
  args: readonly string[],
  print: (text: string) => void,
  terminal: Terminal = processTerminal(),
): Promise<number> {
  const wanted = readArgs(args);
  const { command, isJson } = wanted;
  if (command === 'revoke' && !wanted.yes && !terminal.isPresent) {
    throw new UsageError('sessions: there is no terminal to ask at; --yes ends them without a question');
  }
  const found = await findAll(wanted);
  if (command === 'list') {
    print(isJson ? JSON.stringify(found, null, 2) : rosterText(found));
    return 0;
  }
  if (command === 'show') {
    print(isJson ? JSON.stringify(found, null, 2) : found.map(sessionText).join('\n\n') || rosterText(found));
    return found.length > 0 ? 0 : 1;
  }
  if (!isJson) print(rosterText(found, shownAtMost));
  if (found.length === 0) {
    if (isJson) print(JSON.stringify(nothing, null, 2));
    return 0;
  }
  if (!wanted.yes && !(await isSure(terminal, found))) {
    terminal.note('Nothing was ended.');
    return 1;
  }
  const outcome = await revoke({
    ...wanted,
    ids: found.map(({ id }) => id),
    by: userName(),
    note: terminal.note,
  });
  print(isJson ? JSON.stringify(outcome, null, 2) : outcomeText(outcome, wanted.replicas));
  const isConfirmed = outcome.untold === undefined && outcome.confirmed.length >= (wanted.replicas ?? 1);
  return outcome.failed.length === 0 && isConfirmed ? 0 : 1;
}

/** A container's user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}

const nothing: Outcome = { found: 0, ended: 0, absent: 0, failed: [], tookMs: 0, confirmed: [] };

async function isSure(terminal: Terminal, found: readonly ListedSession[]): Promise<boolean> {
  const answer = await terminal.ask(
    `End ${found.length === 1 ? 'this session' : `these ${found.length} sessions`}? [y/N] `,
  );
  return /^y(es)?$/i.test(answer.trim());
}

/** A session may come on two pages. */
async function findAll({ which, target }: Wanted): Promise<readonly ListedSession[]> {
  const found = new Map<string, ListedSession>();
  let cursor: string | undefined;
  do {
    const question: OperatorsQuestion = { list: which, ...(cursor !== undefined && { cursor }) };
    const page = await askAdmin<Roster>(target, '/sessions', question);
    for (const session of page.sessions) found.set(session.id, session);
    cursor = page.next;
  } while (cursor !== undefined);
  if ('id' in which && found.size > 1) {
    const ids = [...found.keys()].slice(0, shownAtMost).join(', ');
    throw new UsageError(`--id: ${found.size} ids begin with "${which.id}": ${ids}; more of it is wanted`);
  }
  return [...found.values()].toSorted(
    (a, b) => (a.person ?? '').localeCompare(b.person ?? '') || (a.createdAt ?? 0) - (b.createdAt ?? 0),
  );
}

function readArgs(args: readonly string[]): Wanted {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`sessions: ${messageOf(error)}`);
  }
  const { values, positionals } = parsed;
  const { output, admin, yes = false, 'admin-token-file': tokenFile } = values;
  const [command, ...more] = positionals;
  if ((command !== 'list' && command !== 'show' && command !== 'revoke') || more.length > 0) {
    throw new UsageError('sessions: list, show or revoke is wanted: sallyport sessions list --person EMAIL');
  }
  if (output !== 'text' && output !== 'json') throw new UsageError('sessions: -o is text or json');
  if (command !== 'revoke' && (yes || values.replicas !== undefined)) {
    throw new UsageError('sessions: --yes and --replicas go with revoke');
  }
  const replicas = values.replicas === undefined ? undefined : readCount(values.replicas);
  return {
    command,
    which: readWhich(values),
    target: { url: admin, ...(tokenFile !== undefined && { tokenFile }) },
    isJson: output === 'json',
    yes,
    ...(replicas !== undefined && { replicas }),
  };
}

function readWhich({
  person,
  id,
  provider,
  all,
}: { [Flag in 'person' | 'id' | 'provider']?: string } & { all?: boolean }): Which {
  const given: Which[] = [
    ...(person === undefined ? [] : [{ person }]),
    ...(id === undefined ? [] : [{ id }]),
    ...(provider === undefined ? [] : [{ provider }]),
    ...(all === true ? [{ all } as const] : []),
  ];
  const [which, ...more] = given;
  if (which === undefined || more.length > 0) {
    throw new UsageError('sessions: one of --person EMAIL, --id ID, --provider NAME and --all is wanted');
  }
  if (id !== undefined && !/^[\w-]{8,64}$/.test(id)) {
    throw new UsageError(`--id: "${id}" is no id, nor eight letters or more of one`);
  }
  return which;
}

function readCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000) return count;
  throw new UsageError(`--replicas: "${text}" is not a number from 1 to 1000`);
}

function processTerminal(): Terminal {
  return {
    isPresent: process.stdin.isTTY && process.stderr.isTTY,
    async ask(question) {
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return await lines.question(question);
      } finally {
        lines.close();
      }
    },
    note: (text) => console.error(text),
  };
}
