// The vocabulary at work: each criterion, compiled into a function from facts to an outcome with its reason.
import ipaddr from 'ipaddr.js';
import type { Identity } from '../model/identity.ts';
import type { Criterion, CriterionName, Facts, ListMatcher, Outcome, Reason, StringMatcher } from '../model/policy.ts';

export type Evaluation = (facts: Facts) => Outcome;

/**
 * What `not`, `notIn` and `exclude` answer about a value that the provider never gave (no verified address, no such
 * claim). Positive matchers are false of it. Pomerium answers true for an e-mail address and a claim, false for a domain
 * (`get_user_email`, `object_get` and `split(…)[1]` in its pkg/policy), so that each of them is a hole on one side: a
 * missing address passes an allow of "not eve", a missing domain escapes a deny of "not ours". Here absence always counts
 * against the person, which is never wider than Pomerium: see `absenceIn`.
 */
type AbsenceAnswer = boolean;

/** False where truth lets in, true where truth refuses; the other way round under `not` and `nor`. */
export function absenceIn(action: 'allow' | 'deny', inverted: boolean): AbsenceAnswer {
  return (action === 'deny') !== inverted;
}

const outcome = (result: boolean, reason: Reason): Outcome => ({ result, reasons: [reason] });

const unauthenticated = outcome(false, 'user-unauthenticated');
const accepted = outcome(true, 'accept');
const rejected = outcome(false, 'reject');

type Subject = 'user' | 'email' | 'domain' | 'groups' | 'claim' | 'http-method' | 'http-path' | 'source-ip';

function factCriterion(subject: Subject, holds: (facts: Facts) => boolean): Evaluation {
  const met = outcome(true, `${subject}-ok`);
  const unmet = outcome(false, `${subject}-unauthorized`);
  return (facts) => (holds(facts) ? met : unmet);
}

/** Without a session it is false for every matcher: a negative one must not admit nobody. */
function identityCriterion(subject: Subject, holds: (identity: Identity) => boolean): Evaluation {
  const met = outcome(true, `${subject}-ok`);
  const unmet = outcome(false, `${subject}-unauthorized`);
  return ({ identity }) => {
    if (identity === undefined) return unauthenticated;
    return holds(identity) ? met : unmet;
  };
}

type TextTest = (text: string | undefined) => boolean;

/** Comparison is by code unit: no case folding, no normalisation. Undefined where no operator is known here. */
function compileText(matcher: StringMatcher, absence: AbsenceAnswer): TextTest | undefined {
  const { is, not, in: oneOf, notIn, startsWith, endsWith, contains } = matcher;
  if (is !== undefined) return (text) => text === is;
  if (not !== undefined) return (text) => (text === undefined ? absence : text !== not);
  if (oneOf !== undefined) {
    const wanted = new Set(oneOf);
    return (text) => text !== undefined && wanted.has(text);
  }
  if (notIn !== undefined) {
    const unwanted = new Set(notIn);
    return (text) => (text === undefined ? absence : !unwanted.has(text));
  }
  if (startsWith !== undefined) return (text) => text?.startsWith(startsWith) === true;
  if (endsWith !== undefined) return (text) => text?.endsWith(endsWith) === true;
  if (contains !== undefined) return (text) => text?.includes(contains) === true;
  return undefined;
}

type List = readonly unknown[];

/** From here on a Set costs less than a look at each element. */
const shortList = 16;

const membersOfList = new WeakMap<List, ReadonlySet<unknown>>();

/** How a claim's element compares: numbers and booleans by their spelling; objects and null equal nothing. */
function spelling(element: unknown): string | undefined {
  if (typeof element === 'string') return element;
  if (typeof element === 'number' || typeof element === 'boolean') return String(element);
  return undefined;
}

/** A person may be in 10,000 groups: their Set is made once, and lives as long as the session's array. */
function listHas(list: List, wanted: string): boolean {
  if (list.length <= shortList) return list.some((element) => spelling(element) === wanted);
  let members = membersOfList.get(list);
  if (members === undefined) {
    members = new Set(list.map(spelling));
    membersOfList.set(list, members);
  }
  return members.has(wanted);
}

type ListTest = (list: List | undefined) => boolean;

function compileList({ has, is, exclude }: ListMatcher, absence: AbsenceAnswer): ListTest | undefined {
  if (has !== undefined) return (list) => list !== undefined && listHas(list, has);
  if (is !== undefined) return (list) => list?.length === 1 && listHas(list, is);
  if (exclude !== undefined) return (list) => (list === undefined ? absence : !listHas(list, exclude));
  return undefined;
}

/**
 * What follows the @. An address with a second @ has no domain: whichever side of it is taken, a provider that quotes
 * carelessly could be made to say it (CVE-2026-40574, `a@evil.example@example.com`).
 */
function domainOf(email: string | undefined): string | undefined {
  if (email === undefined) return undefined;
  const at = email.indexOf('@');
  if (at < 1 || at === email.length - 1 || at !== email.lastIndexOf('@')) return undefined;
  return email.slice(at + 1);
}

/**
 * The claim at a path as a list, a single value being a list of one. Only own properties of objects are walked, so that
 * `constructor` is no claim, and neither is the `length` of a list.
 */
function claimAt(claims: Identity['claims'], path: readonly string[]): List | undefined {
  let value: unknown = claims;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = Object.getOwnPropertyDescriptor(value, name)?.value;
  }
  if (Array.isArray(value)) return value;
  return spelling(value) === undefined ? undefined : [value];
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

interface Range {
  readonly address: Address;
  readonly prefixBits: number;
}

/**
 * An address as people write it. ipaddr.js alone would also read `10`, `0x7f.1` and `010.0.0.1`, which differ from what
 * other programs read, and takes `::10.0.0.1` for 10.0.0.1. An IPv4 address in IPv6 clothes (`::ffff:10.0.0.1`, what a
 * dual-stack socket reports) is IPv4; it is also the only one that may be written with dots and colons.
 */
function parseAddress(text: string): Address | undefined {
  const dotted = text.replace(/^::ffff:(?=[0-9.]+$)/i, '');
  if (dotted.includes('.')) {
    return ipaddr.IPv4.isValidFourPartDecimal(dotted) ? ipaddr.IPv4.parse(dotted) : undefined;
  }
  if (!ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

/** Whether an address is one that `sourceIp` can judge. */
export function isAddress(text: string): boolean {
  return parseAddress(text) !== undefined;
}

/** An address or a CIDR; undefined where it is neither. Bits after the prefix are ignored: 10.1.2.3/8 is 10.0.0.0/8. */
export function parseRange(text: string): Range | undefined {
  const slash = text.indexOf('/');
  const written = slash === -1 ? text : text.slice(0, slash);
  const address = parseAddress(written);
  if (address === undefined) return undefined;
  const widthBits = address.kind() === 'ipv4' ? 32 : 128;
  if (slash === -1) return { address, prefixBits: widthBits };
  const prefix = text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(prefix)) return undefined;
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8.
  const mappedBits = written.includes(':') && widthBits === 32 ? 96 : 0;
  const prefixBits = Number(prefix) - mappedBits;
  return prefixBits >= 0 && prefixBits <= widthBits ? { address, prefixBits } : undefined;
}

function holdsAddress({ address, prefixBits }: Range, candidate: Address): boolean {
  if (candidate instanceof ipaddr.IPv4) return address instanceof ipaddr.IPv4 && candidate.match(address, prefixBits);
  return address instanceof ipaddr.IPv6 && candidate.match(address, prefixBits);
}

function compileSourceIp(value: NonNullable<Criterion['sourceIp']>): Evaluation | undefined {
  const texts = value.is === undefined ? (value.in ?? []) : [value.is];
  const ranges = texts.map(parseRange).filter((range) => range !== undefined);
  // A range that cannot be read must not vanish: in a deny it would let in what it was to keep out.
  if (ranges.length === 0 || ranges.length < texts.length) return undefined;
  return factCriterion('source-ip', ({ ip }) => {
    const address = parseAddress(ip);
    return address !== undefined && ranges.some((range) => holdsAddress(range, address));
  });
}

function textOfIdentity(subject: Subject, textOf: (identity: Identity) => string | undefined) {
  return (matcher: StringMatcher, absence: AbsenceAnswer): Evaluation | undefined => {
    const test = compileText(matcher, absence);
    return test && identityCriterion(subject, (identity) => test(textOf(identity)));
  };
}

function textOfRequest(subject: Subject, textOf: (facts: Facts) => string) {
  return (matcher: StringMatcher, absence: AbsenceAnswer): Evaluation | undefined => {
    const test = compileText(matcher, absence);
    return test && factCriterion(subject, (facts) => test(textOf(facts)));
  };
}

type Compilers = {
  readonly [Name in CriterionName]: (
    value: NonNullable<Criterion[Name]>,
    absence: AbsenceAnswer,
  ) => Evaluation | undefined;
};

const compilers: Compilers = {
  accept: () => () => accepted,
  reject: () => () => rejected,
  authenticatedUser: () => identityCriterion('user', () => true),
  user: textOfIdentity('user', ({ user }) => user),
  email: textOfIdentity('email', ({ email }) => email),
  domain: textOfIdentity('domain', ({ email }) => domainOf(email)),
  groups: (matcher, absence) => {
    const test = compileList(matcher, absence);
    return test && identityCriterion('groups', ({ groups }) => test(groups));
  },
  claim: ({ path, ...matcher }, absence) => {
    const test = compileList(matcher, absence);
    return test && identityCriterion('claim', ({ claims }) => test(claimAt(claims, path)));
  },
  httpMethod: textOfRequest('http-method', ({ method }) => method),
  httpPath: textOfRequest('http-path', ({ path }) => path),
  sourceIp: compileSourceIp,
};

function compileNamed<Name extends CriterionName>(name: Name, value: Criterion[Name], absence: AbsenceAnswer) {
  return value === undefined ? undefined : compilers[name](value, absence);
}

function isCriterionName(name: string): name is CriterionName {
  return Object.hasOwn(compilers, name);
}

/** Undefined: not exactly one criterion that this version knows. Whoever holds such a policy must refuse. */
export function compileCriterion(criterion: Criterion, absence: AbsenceAnswer): Evaluation | undefined {
  const [name, ...more] = Object.keys(criterion);
  if (name === undefined || more.length > 0 || !isCriterionName(name)) return undefined;
  return compileNamed(name, criterion[name], absence);
}
