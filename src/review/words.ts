// Rules in words: who is let in, who is kept out, and on what it hangs.
import type { Criterion, CriterionName } from '../model/criteria.ts';
import type { Operators } from '../model/policy.ts';

/** `someone whose groups hold engineering, and whose e-mail address ends with @example.com` */
export function describeOperators(written: Operators): string {
  const parts = (['and', 'or', 'not', 'nor'] as const).flatMap((operator) => {
    const criteria = (written[operator] ?? []).map(describeCriterion);
    return criteria.length === 0 ? [] : [{ text: joined[operator](criteria), isSingle: criteria.length === 1 }];
  });
  if (parts.length === 1) return parts[0]?.text ?? '';
  return parts.map(({ text, isSingle }) => (isSingle ? text : `(${text})`)).join(', or ');
}

const joined: Readonly<Record<keyof Operators, (criteria: readonly string[]) => string>> = {
  and: (criteria) => criteria.join(', and '),
  or: (criteria) => criteria.join(', or '),
  not: (criteria) => criteria.map(negated).join(', and '),
  nor: (criteria) => criteria.map(negated).join(', or '),
};

const negated = (text: string): string => `not: ${text}`;

type Values = { readonly [Name in CriterionName]: NonNullable<Criterion[Name]> };

const describers: { readonly [Name in CriterionName]: (value: Values[Name]) => string } = {
  accept: () => 'everybody',
  reject: () => 'nobody',
  authenticatedUser: () => 'anybody signed in',
  user: (matcher) => `the user ${text(matcher)}`,
  email: (matcher) => `the e-mail address ${text(matcher)}`,
  domain: (matcher) => `the e-mail domain ${text(matcher)}`,
  groups: (matcher) => `the groups ${list(matcher)}`,
  claim: ({ path, ...matcher }) => `the claim ${path.join(' / ')} ${list(matcher)}`,
  serviceAccount: (matcher) => `the workload ${text(matcher)}`,
  acr: (matcher) => `the authentication context ${text(matcher)}`,
  authenticationMethod: (matcher) => `the ways of signing in ${list(matcher)}`,
  authenticatedWithin: (age) => `the sign-in is at most ${age} old`,
  sessionAge: ({ under, over }) =>
    under === undefined ? `the session is ${over} old or older` : `the session is under ${under} old`,
  httpMethod: (matcher) => `the method ${text(matcher)}`,
  httpPath: (matcher) => `the path ${text(matcher)}`,
  header: ({ name, ...matcher }) => `the header ${String(name)} ${text(matcher)}`,
  query: ({ name, ...matcher }) => `the query parameter ${String(name)} ${text(matcher)}`,
  corsPreflight: () => 'it is a CORS preflight',
  sourceIp: ({ is, in: oneOf = [] }) => `the address is in ${is ?? oneOf.join(', ')}`,
  timeOfDay: ({ after, before, timezone }) => `the time is ${span(after, before)} (${timezone})`,
  dayOfWeek: ({ in: days, timezone }) => `the day is ${days.join(' or ')} (${timezone})`,
  date: ({ after, before, timezone }) => `the date is ${span(after, before)} (${timezone})`,
  clientCertificate: (matcher) => `the client certificate has ${JSON.stringify(matcher)}`,
  invalidClientCertificate: () => 'there is no valid client certificate',
  cel: (expression) => `${expression} (CEL)`,
};

/** In the policy's own words where there are none of ours, as for what a newer version may send. */
export function describeCriterion(criterion: Criterion): string {
  const [[name, value] = ['', undefined]] = Object.entries(criterion);
  const describe: ((value: never) => string) | undefined = Object.hasOwn(describers, name)
    ? describers[name as CriterionName]
    : undefined;
  return describe === undefined ? JSON.stringify(criterion) : describe(value as never);
}

const operatorWords: Readonly<Record<string, string>> = {
  is: 'is',
  not: 'is not',
  in: 'is one of',
  notIn: 'is none of',
  startsWith: 'begins with',
  endsWith: 'ends with',
  contains: 'contains',
  matches: 'matches',
  inDataSet: 'stands in data set',
  notInDataSet: 'does not stand in data set',
};

const listWords: Readonly<Record<string, string>> = {
  has: 'hold',
  is: 'are nothing but',
  exclude: 'do not hold',
  hasAnyInDataSet: 'hold one of data set',
  hasNoneInDataSet: 'hold none of data set',
};

function text(matcher: object): string {
  return described(matcher, operatorWords);
}

function list(matcher: object): string {
  return described(matcher, listWords);
}

function described(matcher: object, words: Readonly<Record<string, string>>): string {
  return Object.entries(matcher)
    .map(([operator, value]: [string, unknown]) => `${words[operator] ?? operator} ${operand(value)}`)
    .join(' ');
}

function operand(value: unknown): string {
  if (Array.isArray(value)) return value.map(operand).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function span(after: string | undefined, before: string | undefined): string {
  if (after === undefined) return `before ${before}`;
  return before === undefined ? `${after} or later` : `from ${after} until ${before}`;
}

/** `a, b or c` */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} or ${last}`;
}
