// Reading a decision log: a file or stdin, of any length, with other lines and torn ones among the decisions.
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { decisionLine } from '../model/decision-line.ts';
import type { DecisionLine } from '../model/decision-line.ts';
import { duration, parseDuration } from '../model/duration.ts';
import { UsageError } from './settings.ts';

/** What a log turned out to hold. */
export interface DecisionsRead {
  readonly decisions: number;
  /** Lines that were torn, are too long, or are of a version that this one does not understand. */
  readonly unreadable: number;
  /** Without a plain yes in it, a log was most likely written with `--decision-log denied`. */
  readonly holdsAllowed: boolean;
  /** RFC 3339, of the earliest and the latest decision. */
  readonly first?: string;
  readonly last?: string;
}

export interface ReadOptions {
  /** `-`: stdin. */
  readonly file: string;
  /** Milliseconds since the epoch: what was decided before is passed over. */
  readonly since?: number;
  readonly each: (line: DecisionLine) => void;
}

/** Holds one line at a time. @throws {UsageError} where the file cannot be read. */
export async function readDecisions({ file, since = -Infinity, each }: ReadOptions): Promise<DecisionsRead> {
  let [decisions, unreadable, holdsAllowed] = [0, 0, false];
  let [first, last]: (string | undefined)[] = [];
  for await (const lines of linesOf(openLog(file))) {
    for (const text of lines) {
      const line = text === undefined ? 'Unreadable' : readLine(text);
      if (line === 'Unreadable') unreadable += 1;
      if (typeof line === 'string' || Date.parse(line.time) < since) continue;
      decisions += 1;
      holdsAllowed ||= isPlainYes(line);
      if (first === undefined || line.time < first) first = line.time;
      if (last === undefined || line.time > last) last = line.time;
      each(line);
    }
  }
  const span = first !== undefined && last !== undefined ? { first, last } : {};
  return { decisions, unreadable, holdsAllowed, ...span };
}

function isPlainYes({ verdict, trial }: DecisionLine): boolean {
  return verdict === 'Allow' && (trial === undefined || trial.verdict === 'Allow');
}

/** @throws {UsageError} */
export function readSince(text: string, now: number): number {
  const [, days] = /^([0-9]{1,5})d$/.exec(text) ?? [];
  if (days !== undefined) return now - Number(days) * 86_400_000;
  if (duration.safeParse(text).success) return now - parseDuration(text);
  const moment = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(moment)) return moment;
  throw new UsageError(
    `--since: "${text}" is neither a duration such as 24h or 7d nor a moment such as 2026-12-24T18:00:00Z`,
  );
}

function openLog(file: string): Readable {
  if (file !== '-') return createReadStream(file);
  if (process.stdin.isTTY) throw new UsageError('a decision log is wanted: name a file, or send it to stdin');
  return process.stdin;
}

/** Ours are far below it; whatever is longer is not held. */
const maxLineLength = 1024 * 1024;

/** In pieces, as they come; undefined stands for a line that is too long. @throws {UsageError} */
async function* linesOf(stream: Readable): AsyncGenerator<readonly (string | undefined)[]> {
  let rest = '';
  let isTooLong = false;
  try {
    for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
      const [head = '', ...lines] = chunk.split('\n');
      const last = lines.pop();
      if (last === undefined) {
        rest += isTooLong ? '' : head;
      } else {
        yield [isTooLong ? undefined : rest + head, ...lines];
        [rest, isTooLong] = [last, false];
      }
      if (rest.length > maxLineLength) [rest, isTooLong] = ['', true];
    }
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : 'the decision log cannot be read');
  }
  if (isTooLong) yield [undefined];
  else if (rest !== '') yield [rest];
}

/** What stands before the brace, as collectors of logs put it there, does not matter. */
function readLine(text: string): DecisionLine | 'Other' | 'Unreadable' {
  if (!text.includes('"msg":"decision"')) {
    return text.includes('{"level":"') && !text.trimEnd().endsWith('}') ? 'Unreadable' : 'Other';
  }
  try {
    const parsed = decisionLine.safeParse(JSON.parse(text.slice(text.indexOf('{'))));
    return parsed.success ? parsed.data : 'Unreadable';
  } catch {
    return 'Unreadable';
  }
}
