// A second implementation of the policy language, naive on purpose: Pomerium's rego (pkg/policy/rules/rules.go) over sets.
import type { Criterion } from '../../src/model/criteria.ts';
import { parseDuration } from '../../src/model/duration.ts';
import type { ListMatcher, StringMatcher } from '../../src/model/matchers.ts';
import type { Access, AttachedPolicy, DataSets, Operators, Rule } from '../../src/model/policy.ts';
import type { Reason } from '../../src/model/reason.ts';
import type { Decision, Facts } from '../../src/model/verdict.ts';

/** What a negative matcher answers of a value that is not there: against the person, as we do, or as Pomerium does. */
export type Absence = 'against' | 'pomerium';

/** What a criterion says of the facts, before it is known where it stands. */
type Answer = boolean | 'missing' | 'error' | 'login';

export interface Ruling {
  readonly value: boolean;
  readonly reasons: ReadonlySet<Reason>;
}

const unionOf = (rulings: readonly Ruling[]): ReadonlySet<Reason> => new Set(rulings.flatMap((r) => [...r.reasons]));

function mergeWithAnd(rulings: readonly Ruling[]): Ruling {
  const trueOnes = rulings.filter(({ value }) => value);
  if (trueOnes.length === rulings.length) return { value: true, reasons: unionOf(trueOnes) };
  return { value: false, reasons: unionOf(rulings.filter(({ value }) => !value)) };
}

function mergeWithOr(rulings: readonly Ruling[]): Ruling {
  const trueOnes = rulings.filter(({ value }) => value);
  if (trueOnes.length > 0) return { value: true, reasons: unionOf(trueOnes) };
  return { value: false, reasons: unionOf(rulings.filter(({ value }) => !value)) };
}

const invert = ({ value, reasons }: Ruling): Ruling => ({ value: !value, reasons });

/** What stands in a data set, while it may be believed. */
function standing(name: string, dataSets: DataSets, now: number): readonly string[] | undefined {
  const { content, staleAt = Infinity } = dataSets[name] ?? {};
  if (content === undefined || now >= staleAt) return undefined;
  return Array.isArray(content) ? content : Object.keys(content);
}

const isNegative = (matcher: object): boolean =>
  ['not', 'notIn', 'notInDataSet', 'exclude', 'hasNoneInDataSet'].some((operator) => operator in matcher);

function naiveText(matcher: StringMatcher, text: string | undefined, dataSets: DataSets, now: number): Answer {
  const { is, not, in: among, notIn, startsWith, endsWith, contains, matches, inDataSet, notInDataSet } = matcher;
  const named = inDataSet ?? notInDataSet;
  const set = named === undefined ? undefined : standing(named, dataSets, now);
  if (named !== undefined && set === undefined) return 'error';
  if (text === undefined) return isNegative(matcher) ? 'missing' : false;
  const wanted = [is, among, startsWith, endsWith, contains, matches, inDataSet && set].find(
    (one) => one !== undefined,
  );
  const unwanted = [not, notIn, notInDataSet && set].find((one) => one !== undefined);
  if (unwanted !== undefined) return [unwanted].flat().every((one) => one !== text);
  if (startsWith !== undefined) return text.slice(0, startsWith.length) === startsWith;
  if (endsWith !== undefined) return text.length >= endsWith.length && text.slice(-endsWith.length) === endsWith;
  if (contains !== undefined) return text.split(contains).length > 1;
  if (matches !== undefined) return new RegExp(`^(?:${matches})$`).test(text);
  return [wanted].flat().some((one) => one === text);
}

/** Of several values that the client sent: where they disagree, the worst counts. */
function naiveSent(matcher: StringMatcher, texts: readonly string[], dataSets: DataSets, now: number): Answer {
  if (texts.length === 0) return naiveText(matcher, undefined, dataSets, now);
  const [first, ...others] = [...new Set(texts.map((text) => naiveText(matcher, text, dataSets, now)))];
  return others.length === 0 ? (first ?? 'error') : 'missing';
}

function naiveList(
  matcher: ListMatcher,
  list: readonly unknown[] | undefined,
  dataSets: DataSets,
  now: number,
): Answer {
  const { has, is, exclude, hasAnyInDataSet, hasNoneInDataSet } = matcher;
  const named = hasAnyInDataSet ?? hasNoneInDataSet;
  const set = named === undefined ? undefined : standing(named, dataSets, now);
  if (named !== undefined && set === undefined) return 'error';
  if (list === undefined) return isNegative(matcher) ? 'missing' : false;
  const spelt = list.map((one) =>
    typeof one === 'string' ? one : typeof one === 'object' ? '{}' : JSON.stringify(one),
  );
  if (is !== undefined) return spelt.length === 1 && spelt[0] === is;
  const meets = spelt.some((one) => one === (has ?? exclude) || set?.includes(one) === true);
  return meets !== isNegative(matcher);
}

const hoursAhead: Readonly<Record<string, number>> = { UTC: 0, 'Asia/Kolkata': 5.5, 'America/Phoenix': -7 };
const wallText = (now: number, zone: string): string =>
  new Date(now + (hoursAhead[zone] ?? 0) * 3_600_000).toISOString().slice(0, 19);

/** As texts: `17:30` stands before `17:30:00`, and `2026-11-27` before all of that day. */
function naiveTime({ timeOfDay, date, dayOfWeek }: Criterion, now: number): boolean {
  if (dayOfWeek) {
    const day = new Date(`${wallText(now, dayOfWeek.timezone)}Z`).toUTCString().slice(0, 3);
    return dayOfWeek.in.some((one) => one.startsWith(day));
  }
  if (date) {
    const shown = (limit: string): string => wallText(now, limit.endsWith('Z') ? 'UTC' : date.timezone);
    const begun = date.after === undefined || shown(date.after) >= date.after.replace('Z', '');
    return begun && (date.before === undefined || shown(date.before) < date.before.replace('Z', ''));
  }
  const { after = '00:00', before = '24:00', timezone = 'UTC' } = timeOfDay ?? {};
  const time = wallText(now, timezone).slice(11);
  return after <= before ? after <= time && time < before : time < before || after <= time;
}

/** The limits that are generated, in milliseconds. */
const limits: Readonly<Record<string, number>> = { '1m': 60_000, '10m': 600_000, '59s1ms': 59_001 };

function naiveCel(expression: string, { identity, session, path, headers, now }: Facts, dataSets: DataSets): Answer {
  const inSet = (text: string, name: string): Answer => standing(name, dataSets, now)?.includes(text) ?? 'error';
  const header = headers.get('x-a');
  const answers: Readonly<Record<string, Answer>> = {
    'request.path == "/a"': path === '/a',
    'request.headers["x-a"] == "1"': header === undefined ? 'error' : header.join(', ') === '1',
    'now < timestamp("2026-11-27T12:00:00Z")': now < Date.UTC(2026, 10, 27, 12),
    '"eng" in data.few': inSet('eng', 'few'),
    '"g7" in data.aging': inSet('g7', 'aging'),
    '"a" in data.gone': inSet('a', 'gone'),
    'user.user == "u1"': identity?.user === 'u1',
    '"eng" in user.groups': identity?.groups.includes('eng') === true,
    'user.email.endsWith("@example.com")': identity?.email?.endsWith('@example.com') ?? 'error',
    'request.path == "/a" || user.user == "u2"': path === '/a' || identity?.user === 'u2',
    'now - session.authenticatedAt <= duration("60s")': now - (session?.authenticatedAt ?? 0) <= 60_000,
  };
  return answers[expression] ?? 'error';
}

function naivePerson(criterion: Criterion, facts: Facts, dataSets: DataSets): Answer | undefined {
  const { identity, session, now } = facts;
  const { authenticatedUser, user, email, domain, groups, claim, serviceAccount, acr, cel } = criterion;
  const { authenticationMethod, authenticatedWithin, sessionAge } = criterion;
  const asked = [authenticatedUser, user, email, domain, groups, claim, serviceAccount, acr, authenticationMethod];
  const isAbout = [...asked, authenticatedWithin, sessionAge, cel?.match(/user|session/)].some((one) => one);
  if (!isAbout) return undefined;
  if (identity === undefined) return 'login';
  const text = (matcher: StringMatcher, value: string | undefined) => naiveText(matcher, value, dataSets, now);
  const list = (matcher: ListMatcher, value: unknown) =>
    naiveList(matcher, value === undefined ? undefined : [value].flat(), dataSets, now);
  const halves = identity.email?.split('@') ?? [];
  const { acr: told } = identity.claims as { readonly acr?: string | number };
  if (user) return text(user, identity.user);
  if (email) return text(email, identity.email);
  if (domain) return text(domain, halves.length === 2 && halves[0] !== '' && halves[1] !== '' ? halves[1] : undefined);
  if (groups) return list(groups, identity.groups);
  if (serviceAccount) return text(serviceAccount, identity.serviceAccount);
  if (acr) return text(acr, told?.toString());
  if (authenticationMethod) return list(authenticationMethod, identity.claims['amr']);
  if (claim) {
    const [top = '', below] = claim.path;
    return list(claim, below === undefined ? identity.claims[top] : Object(identity.claims[top])[below]);
  }
  const since = (then = 0): number => now - then;
  if (authenticatedWithin) return since(session?.authenticatedAt) <= (limits[authenticatedWithin] ?? 0);
  if (sessionAge?.under) return since(session?.startedAt) < (limits[sessionAge.under] ?? 0);
  if (sessionAge?.over) return since(session?.startedAt) >= (limits[sessionAge.over] ?? 0);
  if (cel !== undefined) return naiveCel(cel, facts, dataSets);
  return identity.serviceAccount === undefined || 'missing';
}

function naiveRequest(criterion: Criterion, facts: Facts, dataSets: DataSets): Answer {
  const { httpMethod, httpPath, sourceIp, header, query, clientCertificate, cel } = criterion;
  const { method, path, ip, headers, now } = facts;
  const certificate = facts.clientCertificate;
  if (criterion.accept) return true;
  if (criterion.reject) return false;
  if (criterion.invalidClientCertificate) return certificate === undefined;
  if (criterion.corsPreflight)
    return method === 'OPTIONS' && headers.has('origin') && headers.size - +headers.has('x-a') === 2;
  if (httpMethod) return naiveText(httpMethod, method, dataSets, now);
  if (httpPath) return naiveText(httpPath, path, dataSets, now);
  if (header) return naiveSent(header, headers.get('x-a') ?? [], dataSets, now);
  if (query) return naiveSent(query, facts.query.match(/(?<=q=)./g) ?? [], dataSets, now);
  if (cel !== undefined) return naiveCel(cel, facts, dataSets);
  if (clientCertificate) {
    const { fingerprint, sanDns } = clientCertificate;
    if (!sanDns) return fingerprint?.some((one) => one.toLowerCase() === certificate?.fingerprint) === true;
    if (certificate === undefined) return isNegative(sanDns) ? 'missing' : false;
    const { sanDnsNames } = certificate;
    if (sanDnsNames.length === 0) return naiveText(sanDns, undefined, dataSets, now);
    const each = new Set(sanDnsNames.map((one) => naiveText(sanDns, one, dataSets, now)));
    if (each.has('error')) return 'error';
    return isNegative(sanDns) ? !each.has(false) : each.has(true);
  }
  if (!sourceIp) return naiveTime(criterion, now);
  if (ip === 'unknown') return 'error';
  // Only whole octets are generated: a range is a text that the address begins with.
  const ranges = [sourceIp.is, ...(sourceIp.in ?? [])].filter((range) => range !== undefined);
  return ranges.some((range) => ip.replace('::ffff:', '').startsWith(range.replace('.0.0.0/8', '.')));
}

/** The reasons of a criterion, false and true, where they are not named after it. */
const ownReasons: Readonly<Record<string, readonly [Reason, Reason]>> = {
  accept: ['accept', 'accept'],
  reject: ['reject', 'reject'],
  authenticatedUser: ['user-unauthorized', 'user-ok'],
  corsPreflight: ['non-cors-request', 'cors-request'],
  invalidClientCertificate: ['valid-client-certificate', 'invalid-client-certificate'],
};

function reasonOf(name: string, value: boolean, { clientCertificate }: Facts): Reason {
  const own = ownReasons[name];
  if (own) return own[value ? 1 : 0];
  if (name === 'clientCertificate' && clientCertificate === undefined) return 'client-certificate-required';
  const kebab = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return `${kebab}-${value ? 'ok' : 'unauthorized'}` as Reason;
}

/** Where a criterion stands, as far as it matters. */
interface Place {
  readonly action: Action;
  readonly againstWhenTrue: boolean;
  readonly absence: Absence;
  readonly dataSets: DataSets;
}

function naiveCriterion(criterion: Criterion, facts: Facts, place: Place): Ruling {
  const { action, againstWhenTrue, absence, dataSets } = place;
  const [name = ''] = Object.keys(criterion);
  const ofPerson = naivePerson(criterion, facts, dataSets);
  const speaksOfWorkloads = criterion.serviceAccount !== undefined || (criterion.claim && !againstWhenTrue);
  if (
    action === 'allow' &&
    facts.identity?.serviceAccount !== undefined &&
    ofPerson !== undefined &&
    !speaksOfWorkloads
  )
    return { value: againstWhenTrue, reasons: new Set([reasonOf(name, againstWhenTrue, facts)]) };
  const answer = ofPerson ?? naiveRequest(criterion, facts, dataSets);
  if (answer === 'login') return { value: false, reasons: new Set(['user-unauthenticated']) };
  // Pomerium: false of a domain that is not there and of an address that cannot be read, true of all else that is missing.
  const pomerium = answer === 'missing' && name !== 'domain';
  const value = typeof answer === 'boolean' ? answer : absence === 'pomerium' ? pomerium : againstWhenTrue;
  return { value, reasons: new Set([answer === 'error' ? 'criterion-error' : reasonOf(name, value, facts)]) };
}

type Action = 'allow' | 'deny';

export function naiveAction(
  rules: readonly Rule[],
  action: Action,
  facts: Facts,
  dataSets: DataSets = {},
  absence: Absence = 'against',
): Ruling | undefined {
  if (rules.every((rule) => rule[action] === undefined)) return undefined;
  const terms: Ruling[] = [];
  for (const rule of rules) {
    const of = (operator: keyof Operators): readonly Ruling[] => {
      const inverted = operator === 'not' || operator === 'nor';
      const place: Place = { action, againstWhenTrue: (action === 'deny') !== inverted, absence, dataSets };
      return (rule[action]?.[operator] ?? []).map((one) => naiveCriterion(one, facts, place));
    };
    if (of('and').length > 0) terms.push(mergeWithAnd(of('and')));
    if (of('or').length > 0) terms.push(mergeWithOr(of('or')));
    if (of('not').length > 0) terms.push(mergeWithAnd(of('not').map(invert)));
    if (of('nor').length > 0) terms.push(mergeWithOr(of('nor').map(invert)));
  }
  return mergeWithOr(terms);
}

/** "How policies combine", sentence by sentence; and who is refused for how they signed in alone is asked for another sign-in. */
export function naiveDecision(access: Access, facts: Facts, absence: Absence = 'against'): Decision {
  const decision = combine(access, facts, absence);
  if (decision !== 'Deny' || facts.session === undefined) return decision;
  const enforced = inForce(access).flatMap(({ policy: { mode, rules } }) => (mode === 'Audit' ? [] : rules));
  return wouldHelp(enforced.filter((rule) => rule.mode !== 'Audit')) ? 'Login' : 'Deny';

  /** Every sign-in that these rules could make somebody ask for, each tried as if it had brought that and nothing else. */
  function wouldHelp(rules: readonly Rule[]): boolean {
    const { ages, acrs, methods } = askedIn(rules);
    const { identity, session, now } = facts;
    if (identity === undefined || session === undefined) return false;
    const { acr, amr, ...others } = identity.claims;
    // A provider is asked in whole seconds.
    const youngest = Math.floor(Math.min(...ages) / 1000) * 1000;
    const isYoung = now - Math.min(session.authenticatedAt, session.startedAt) < youngest;
    const has = (method: string) => (Array.isArray(amr) ? amr : [amr]).some((one) => String(one) === method);
    const afresh = { ...session, authenticatedAt: now, startedAt: now };
    let helps = false;
    for (const isFresh of ages.length > 0 ? [true, false] : [false]) {
      for (const set of [[], ...methods.map((one) => [one]), methods]) {
        for (const one of [undefined, ...acrs]) {
          if (!isFresh && set.length === 0 && one === undefined) continue;
          const claims = { ...others, ...(one && { acr: one }), ...(set.length > 0 && { amr: set }) };
          const stronger = { ...facts, identity: { ...identity, claims }, session: isFresh ? afresh : session };
          if (combine(access, stronger, absence) !== 'Allow') continue;
          helps = true;
          // Had already, and refused all the same.
          if ((!isFresh || isYoung) && set.every(has) && (one === undefined || one === String(acr))) return false;
        }
      }
    }
    return helps || (ages.length > 0 && combine(access, { ...facts, session: afresh }, absence) === 'Allow');
  }
}

function askedIn(rules: readonly Rule[]) {
  const criteria = rules.flatMap(({ allow, deny }) =>
    [allow, deny].flatMap(({ and = [], or = [], not = [], nor = [] } = {}) => [and, or, not, nor].flat()),
  );
  const distinct = (texts: readonly string[]) => [...new Set(texts)];
  return {
    ages: criteria
      .flatMap(({ authenticatedWithin, sessionAge }) => [authenticatedWithin, sessionAge?.under, sessionAge?.over])
      .flatMap((age) => (age === undefined ? [] : parseDuration(age))),
    acrs: distinct(criteria.flatMap(({ acr }) => [acr?.is ?? [], acr?.in ?? []].flat())),
    methods: distinct(criteria.flatMap(({ authenticationMethod }) => authenticationMethod?.has ?? [])),
  };
}

function inForce({ policies }: Access): readonly AttachedPolicy[] {
  const hasOwn = policies.some(({ attachment }) => attachment === 'Own');
  return policies.filter(({ attachment }) => attachment !== 'Default' || !hasOwn);
}

function combine(access: Access, facts: Facts, absence: Absence): Decision {
  const governing = inForce(access);
  if (governing.some(({ policy }) => policy.broken)) return 'Deny';
  const enforced = governing.filter(({ policy }) => policy.mode === 'Enforce');
  const rule = (action: Action, { policy: { rules, dataSets } }: AttachedPolicy) => {
    const counting = rules.filter(({ mode }) => mode !== 'Audit');
    return naiveAction(counting, action, facts, dataSets, absence);
  };
  const unknown = (ruling: Ruling | undefined) => ruling?.reasons.has('user-unauthenticated') === true;
  const nobodyBrought = governing.every(({ attachment }) => attachment === 'Mandatory');
  const byDefault = nobodyBrought && access.defaultAccess === 'Authenticated';
  if (enforced.some((one) => unknown(rule('allow', one)) || unknown(rule('deny', one)))) return 'Login';
  if (byDefault && !facts.identity) return 'Login';
  const denied = enforced.some((one) => rule('deny', one)?.value === true);
  const withheld = enforced.some((one) => rule('allow', one)?.value === false);
  const granted =
    (byDefault && facts.identity?.serviceAccount === undefined) ||
    enforced.some((one) => one.attachment !== 'Mandatory' && rule('allow', one)?.value === true);
  return granted && !denied && !withheld ? 'Allow' : 'Deny';
}
