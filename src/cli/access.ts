// `sallyport access`: what a person may open, who may open a route, and which grants nobody uses.
import { parseArgs } from 'node:util';
import { openingsText, reachText } from './access-text.ts';
import { readSince } from './decisions.ts';
import { personHelp, personOptions, readPerson } from './person.ts';
import { openReviewer, reviewerHelp, reviewerOptions } from './reviewer.ts';
import type { ReviewerFlags } from './reviewer.ts';
import { UsageError } from './settings.ts';
import { findUnused, unusedText } from './unused.ts';

export const accessHelp = `sallyport access: who may open what

  --person EMAIL        What this person may open: each route, for GET of its path.
${personHelp}
  --route HOST[/PATH]   Who may open it, by rule: every route of the host, or the one that serves the path.
  --log FILE|- --unused-for 30d
                        Grants that nobody has used for so long, by a decision log. Alone, or with --route.
${reviewerHelp}

Exit code: 0 whatever it finds, 1 a failure, 2 wrong usage.
`;

const options = {
  ...reviewerOptions,
  ...personOptions,
  person: { type: 'string' },
  route: { type: 'string' },
  log: { type: 'string' },
  'unused-for': { type: 'string' },
} as const;

interface Wanted {
  readonly flags: ReviewerFlags;
  readonly question: object;
  readonly unused?: { readonly file: string; readonly since: number };
}

/** Prints the answer; returns the exit code. @throws {UsageError} */
export async function access(
  args: readonly string[],
  print: (text: string) => void,
  now = Date.now(),
): Promise<number> {
  const { flags, question, unused } = readArgs(args, now);
  const answer = await openReviewer(flags).access(question);
  const isJson = flags.output === 'json';
  if ('reach' in answer) print(isJson ? JSON.stringify(answer, null, 2) : reachText(answer.reach));
  else if (unused === undefined) print(isJson ? JSON.stringify(answer, null, 2) : openingsText(answer.openings));
  else {
    const found = await findUnused(answer.openings, unused.file, unused.since);
    print(isJson ? JSON.stringify(found, null, 2) : unusedText(found));
  }
  return 0;
}

function readArgs(args: readonly string[], now: number): Wanted {
  let values;
  try {
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    throw new UsageError(`access: ${error instanceof Error ? error.message : 'the flags cannot be read'}`);
  }
  const { route, log, output, 'unused-for': unusedFor } = values;
  if (output !== 'text' && output !== 'json') throw new UsageError('access: -o is text or json');
  const person = readPerson('person', values.person, values);
  if ((log === undefined) !== (unusedFor === undefined)) {
    throw new UsageError('access: --log and --unused-for go together');
  }
  if (person !== undefined) {
    if (route !== undefined || log !== undefined) {
      throw new UsageError('access: a person or a route is asked about, not both; --log goes without a person');
    }
    return { flags: values, question: { person } };
  }
  const question = route === undefined ? { grants: true } : { route };
  if (log !== undefined && unusedFor !== undefined) {
    return { flags: values, question, unused: { file: log, since: readSince(unusedFor, now) } };
  }
  if (route === undefined) {
    throw new UsageError(
      'access: one of --person EMAIL, --service-account NS/NAME, --route HOST, --log FILE --unused-for 30d is wanted',
    );
  }
  return { flags: values, question };
}
