// `sallyport explain`: would this request pass, and why; asked of a folder, a cluster or a running instance.
import { parseArgs } from 'node:util';
import { explainText } from './explain-text.ts';
import { personHelp, personOptions, readPerson } from './person.ts';
import { openReviewer, reviewerHelp, reviewerOptions } from './reviewer.ts';
import type { ReviewerFlags } from './reviewer.ts';
import { UsageError } from './settings.ts';

export const explainHelp = `sallyport explain URL | --request-id ID: would a request pass, and why

  --as EMAIL            Who asks. [nobody is signed in]
${personHelp}
  --method M            [GET]
  --from IP             The client's address. [192.0.2.1]
  --header 'N: v'       A header of the request; may be repeated.
  --at TIME             When, RFC 3339. [now]
  --request-id ID       A request that happened: the X-Request-Id of its answer. With --admin.
${reviewerHelp}

Exit code: 0 whatever the verdict, 1 a failure, 2 wrong usage.
`;

const options = {
  ...reviewerOptions,
  ...personOptions,
  as: { type: 'string' },
  method: { type: 'string' },
  from: { type: 'string' },
  header: { type: 'string', multiple: true },
  at: { type: 'string' },
  'request-id': { type: 'string' },
} as const;

/** Prints the answer; returns the exit code. @throws {UsageError} */
export async function explain(args: readonly string[], print: (text: string) => void): Promise<number> {
  const { flags, question } = readArgs(args);
  const answer = await openReviewer(flags).explain(question);
  print(flags.output === 'json' ? JSON.stringify(answer, null, 2) : explainText(answer));
  return 0;
}

function readArgs(args: readonly string[]): { readonly flags: ReviewerFlags; readonly question: object } {
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`explain: ${error instanceof Error ? error.message : 'the flags cannot be read'}`);
  }
  const { values, positionals } = parsed;
  const { 'request-id': requestId, method, from, header, at, output } = values;
  if (output !== 'text' && output !== 'json') throw new UsageError('explain: -o is text or json');
  const [url, ...more] = positionals;
  if (requestId !== undefined) {
    if (url !== undefined) throw new UsageError('explain: a URL or --request-id is asked about, not both');
    if (values.admin === undefined) {
      throw new UsageError('explain: only a running instance knows of requests: --request-id goes with --admin URL');
    }
    return { flags: values, question: { requestId } };
  }
  if (url === undefined || more.length > 0) {
    throw new UsageError('explain: one URL is wanted: sallyport explain https://grafana.example.com/ --as EMAIL');
  }
  const as = readPerson('as', values.as, values);
  const question = {
    url,
    ...(as && { as }),
    ...(method !== undefined && { method: method.toUpperCase() }),
    ...(from !== undefined && { from }),
    ...(header && { headers: header.map(readHeader) }),
    ...(at !== undefined && { at }),
  };
  return { flags: values, question };
}

function readHeader(text: string): readonly [string, string] {
  const [, name, value] = /^([^:]+):\s*(.*?)\s*$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new UsageError(`--header: "${text}" is not a header; wanted is one like 'Accept: text/html'`);
  }
  return [name, value];
}
