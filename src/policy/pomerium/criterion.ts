// One criterion of the Pomerium Policy Language → criteria of ours, joined so that they say the same; or why that cannot be.
import { criterion as criterionSchema } from '../../model/criteria.ts';
import { parseRange } from '../address.ts';
import { nearest } from '../spelling.ts';
import { isTimezone } from '../wall-clock.ts';
import type { Formula, Join } from './formula.ts';
import { clockTimeOf, weekdaysOf } from './time.ts';

/** Why something cannot be said here, and what to do instead. */
export interface Unsayable {
  readonly why: string;
}

export type Converted = Formula | Unsayable;

export interface Written {
  /** With its sub-path, as in `claim/realm_access/roles`. */
  readonly name: string;
  readonly data: unknown;
  /** Whether somebody is kept out where it holds: in a deny, or inverted in an allow. */
  readonly refuses: boolean;
}

/** No list of a matcher is longer (model/matchers.ts). */
const maxValues = 256;

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const because = (why: string): Unsayable => ({ why });

/** What Pomerium puts into Rego as it is, and Rego finds unequal to every text. */
const neverEqual =
  'Pomerium compares a text with this as it stands, which no text is equal to; a text in quotes is wanted';

type Convert = (data: unknown, written: Written) => Converted;

const converters: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  // Pomerium does not look at their data: `accept: false` accepts.
  ['accept', () => atom({ accept: true })],
  ['reject', () => atom({ reject: true })],
  ['authenticated_user', () => atom({ authenticatedUser: true })],
  ['cors_preflight', () => atom({ corsPreflight: true })],
  ['invalid_client_certificate', () => atom({ invalidClientCertificate: true })],
  ['user', (data) => convertText('user', data)],
  ['email', (data) => convertText('email', data)],
  ['domain', (data) => convertText('domain', data)],
  ['http_method', (data) => convertText('httpMethod', data)],
  ['http_path', (data) => convertText('httpPath', data)],
  ['groups', (data) => convertList(data, (matcher) => atom({ groups: matcher }))],
  ['claim', convertClaim],
  ['source_ip', convertSourceIp],
  ['client_certificate', convertCertificate],
  ['day_of_week', convertDayOfWeek],
  ['date', convertDate],
  ['time_of_day', convertTimeOfDay],
]);

const noSsh = 'SSH is not served here, so there is nothing to compare; keep such routes where they are';

const unsayable: ReadonlyMap<string, string> = new Map([
  ['device', 'devices cannot be told apart here yet; authenticationMethod and acr ask how somebody signed in'],
  ['mcp_tool', 'what an MCP client calls is not read here; let the MCP server itself decide about its tools'],
  ['record', 'there are no external records here; put what it looks up into a ConfigMap, and ask for a data set'],
  ['pomerium_routes', "Sallyport's own paths are outside of every policy; it can be left out"],
  ['ssh_publickey', noSsh],
  ['ssh_ca', noSsh],
  ['ssh_username', noSsh],
  ['ssh_username_matches_email', noSsh],
  ['ssh_username_matches_claim', noSsh],
]);

export function convertCriterion(written: Written): Converted {
  const [name = ''] = written.name.split('/', 1);
  const convert = converters.get(name);
  if (convert !== undefined) return convert(written.data, written);
  const why = unsayable.get(name);
  if (why !== undefined) return because(why);
  const near = nearest(name, [...converters.keys(), ...unsayable.keys()]);
  const hint = near === undefined ? 'Pomerium refuses a policy with it' : `did you mean ${near}?`;
  return because(`there is no such criterion; ${hint}`);
}

/** Whatever does not fit our schema must not get as far as a rule. */
function atom(value: object): Converted {
  const parsed = criterionSchema.safeParse(value);
  if (parsed.success) return { criterion: parsed.data };
  const [issue] = parsed.error.issues;
  return because(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it does not fit'}`);
}

function joined(join: Join, parts: readonly Converted[]): Converted {
  const formulas: Formula[] = [];
  for (const part of parts) {
    if ('why' in part) return part;
    formulas.push(part);
  }
  const [only, ...more] = formulas;
  if (only === undefined) return because('it asks for nothing');
  return more.length === 0 ? only : { join, of: formulas };
}

function chunked<Value>(values: readonly Value[], size: number): readonly (readonly Value[])[] {
  const count = Math.ceil(values.length / size);
  return Array.from({ length: count }, (_, index) => values.slice(index * size, (index + 1) * size));
}

const textOperators: ReadonlyMap<string, string> = new Map([
  ['is', 'is'],
  ['not', 'not'],
  ['in', 'in'],
  ['not_in', 'notIn'],
  ['starts_with', 'startsWith'],
  ['ends_with', 'endsWith'],
  ['contains', 'contains'],
]);

function unknownOperator(operator: string, known: readonly string[]): Unsayable {
  return because(`there is no matcher ${operator.slice(0, 64)}; Pomerium has ${known.join(', ')}`);
}

/** Operators beside each other are joined by "and" in Pomerium; here each is a criterion. */
function convertText(field: string, data: unknown): Converted {
  const operators = isRecord(data) ? data : { is: data };
  return joined(
    'all',
    Object.entries(operators).map(([written, value]) => {
      const operator = textOperators.get(written);
      if (operator === undefined) return unknownOperator(written, [...textOperators.keys()]);
      if (operator !== 'in' && operator !== 'notIn') {
        return isText(value) ? atom({ [field]: { [operator]: canonical(field, value) } }) : because(neverEqual);
      }
      if (!Array.isArray(value) || !value.every(isText)) {
        return because(`a list of texts in quotes is wanted under ${written}`);
      }
      const lists = chunked(
        value.map((text) => canonical(field, text)),
        maxValues,
      );
      return joined(
        operator === 'in' ? 'any' : 'all',
        lists.map((list) => atom({ [field]: { [operator]: list } })),
      );
    }),
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Our addresses have their domain in lower case, whatever the provider wrote; Pomerium's are as it wrote them. */
function canonical(field: string, text: string): string {
  if (field === 'domain') return text.toLowerCase();
  return field === 'email' ? text.replace(/@.*$/, (domain) => domain.toLowerCase()) : text;
}

const listOperators = ['has', 'is', 'exclude'];

function convertList(data: unknown, make: (matcher: Readonly<Record<string, string>>) => Converted): Converted {
  const operators = isRecord(data) ? data : { has: data };
  return joined(
    'all',
    Object.entries(operators).map(([operator, value]) => {
      if (!listOperators.includes(operator)) return unknownOperator(operator, listOperators);
      // Our lists compare numbers and booleans by their spelling.
      const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
      return isText(text) ? make({ [operator]: text }) : because(neverEqual);
    }),
  );
}

/**
 * Pomerium looks for a claim of the whole name first (`https://example.com/roles`), and else cuts it at dots and slashes
 * into at most five names (`object_get` in its pkg/policy/rules). Where the criterion lets in, the latter is taken. Where
 * it refuses, both are: to miss one would let in.
 */
function convertClaim(data: unknown, { name, refuses }: Written): Converted {
  const whole = name.slice('claim/'.length);
  if (whole === '') return because('the name of the claim is missing: claim/NAME');
  const names = whole.split(/[./]/);
  const isNested = names.length > 1 && names.length <= 5 && !names.includes('');
  const at = (path: readonly string[]) => (matcher: Readonly<Record<string, string>>) =>
    atom({ claim: { path, ...matcher } });
  if (!isNested) return convertList(data, at([whole]));
  if (!refuses) return convertList(data, at(names));
  return convertList(data, (matcher) =>
    joined('exclude' in matcher ? 'all' : 'any', [at(names)(matcher), at([whole])(matcher)]),
  );
}

function convertSourceIp(data: unknown): Converted {
  const ranges: readonly unknown[] = Array.isArray(data) ? data : [data];
  if (!ranges.every((range) => typeof range === 'string' && parseRange(range) !== undefined)) {
    return because('an address or a CIDR is wanted, or a list of them');
  }
  const [only] = ranges;
  if (ranges.length === 1) return atom({ sourceIp: { is: only } });
  return joined(
    'any',
    chunked(ranges, maxValues).map((list) => atom({ sourceIp: { in: list } })),
  );
}

const certificateNames: ReadonlyMap<string, string> = new Map([
  ['san_email', 'sanEmail'],
  ['san_dns', 'sanDns'],
  ['san_uri', 'sanUri'],
]);

function convertCertificate(data: unknown): Converted {
  if (!isRecord(data)) return because('an object is wanted');
  return joined(
    'all',
    Object.entries(data).map(([field, value]) => {
      const list: unknown = typeof value === 'string' ? [value] : value;
      if (field === 'fingerprint') return atom({ clientCertificate: { fingerprint: list } });
      if (field === 'spki_hash') return atom({ clientCertificate: { spkiHash: list } });
      const name = certificateNames.get(field);
      if (name === undefined) {
        return unknownOperator(field, ['fingerprint', 'spki_hash', ...certificateNames.keys()]);
      }
      return convertSan(name, value);
    }),
  );
}

/** Of several names one must do in Pomerium, for `not` too, and for several operators the same one: that cannot be said here. */
function convertSan(name: string, data: unknown): Converted {
  const [first, ...more] = Object.entries(isRecord(data) ? data : { is: data });
  if (first === undefined) return because('it asks for nothing');
  const [written, value] = first;
  const operator = textOperators.get(written);
  if (operator === undefined) return unknownOperator(written, [...textOperators.keys()]);
  if (more.length > 0 || operator === 'not' || operator === 'notIn') {
    return because('of alternative names only one matcher can be asked for here, and none that is negative');
  }
  return atom({ clientCertificate: { [name]: { [operator]: value } } });
}

function convertDayOfWeek(data: unknown): Converted {
  const days = typeof data === 'string' ? weekdaysOf(data) : undefined;
  if (days === undefined) return because('days are wanted, such as mon,wed or mon-fri, from Monday to Sunday');
  return atom({ dayOfWeek: { in: days, timezone: 'UTC' } });
}

function convertDate(data: unknown): Converted {
  return isRecord(data) && !('timezone' in data)
    ? atom({ date: { ...data, timezone: 'UTC' } })
    : because('an object with after, before or both is wanted');
}

/** In Pomerium `after` later than `before` never holds, while ours spans midnight: then they are two criteria. */
function convertTimeOfDay(data: unknown): Converted {
  if (!isRecord(data)) return because('an object with timezone and after, before or both is wanted');
  const { timezone, after, before, ...more } = data;
  const [unknown] = Object.keys(more);
  if (unknown !== undefined) return unknownOperator(unknown, ['timezone', 'after', 'before']);
  if (typeof timezone !== 'string' || !isTimezone(timezone)) {
    return because('the timezone is missing, or unknown; a name such as Europe/Berlin is wanted');
  }
  const [from, until] = [after, before].map((time) => (typeof time === 'string' ? clockTimeOf(time) : undefined));
  if ((after !== undefined && from === undefined) || (before !== undefined && until === undefined)) {
    return because('a time of day is wanted, such as 8:30, 20:00:15 or 4:30 PM');
  }
  const bounds = [
    ...(from === undefined ? [] : [{ after: from }]),
    ...(until === undefined ? [] : [{ before: until }]),
  ];
  const isOne = from === undefined || until === undefined || from < until;
  const parts = isOne ? [Object.assign({}, ...bounds) as object] : bounds;
  return joined(
    'all',
    parts.map((part) => atom({ timeOfDay: { ...part, timezone } })),
  );
}
