// A second implementation of the policy language, naive on purpose: Pomerium's rego (pkg/policy/rules/rules.go) over sets.
import type { Criterion } from '../../src/model/criteria.ts';
import type { ListMatcher, StringMatcher } from '../../src/model/matchers.ts';
import type { Access, AttachedPolicy, Operators, Rule } from '../../src/model/policy.ts';
import type { Reason } from '../../src/model/reason.ts';
import type { Decision, Facts } from '../../src/model/verdict.ts';

/** What a negative matcher answers of a value that is not there: against the person, as we do, or as Pomerium does. */
type Absence = 'against' | 'pomerium';

export interface Ruling {
  readonly value: boolean;
  readonly reasons: ReadonlySet<Reason>;
}

const names = (reason: Reason): ReadonlySet<Reason> => new Set([reason]);
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

function naiveText(matcher: StringMatcher, text: string | undefined, absent: boolean): boolean {
  const [[operator, value] = []] = Object.entries(matcher);
  const values = [value].flat();
  if (text === undefined) return (operator === 'not' || operator === 'notIn') && absent;
  if (operator === 'is' || operator === 'in') return values.some((one) => one === text);
  if (operator === 'not' || operator === 'notIn') return values.every((one) => one !== text);
  const [part = ''] = values;
  if (operator === 'contains') return text.split(part).length > 1;
  if (operator === 'startsWith') return text.slice(0, part.length) === part;
  return operator === 'endsWith' && text.length >= part.length && text.slice(text.length - part.length) === part;
}

function naiveList(matcher: ListMatcher, list: readonly unknown[] | undefined, absent: boolean): boolean {
  const { has, is, exclude } = matcher;
  const spelt = list?.map((one) =>
    typeof one === 'string' ? one : typeof one === 'object' ? '{}' : JSON.stringify(one),
  );
  if (has !== undefined) return spelt?.includes(has) === true;
  if (is !== undefined) return spelt?.length === 1 && spelt[0] === is;
  return spelt === undefined ? absent : spelt.every((one) => one !== exclude);
}

function naiveCriterion(criterion: Criterion, facts: Facts, againstWhenTrue: boolean, absence: Absence): Ruling {
  const { identity } = facts;
  const [name] = Object.keys(criterion);
  const asksIdentity = ['authenticatedUser', 'user', 'email', 'domain', 'groups', 'claim'].includes(name ?? '');
  if (asksIdentity && identity === undefined) return { value: false, reasons: names('user-unauthenticated') };
  const absent = (pomerium: boolean): boolean => (absence === 'pomerium' ? pomerium : againstWhenTrue);
  const ruled = (value: boolean, yes: Reason, no: Reason): Ruling => ({ value, reasons: names(value ? yes : no) });
  const { user, email, domain, groups, claim, httpMethod, httpPath, sourceIp } = criterion;
  const halves = identity?.email?.split('@') ?? [];
  const after = halves.length === 2 && halves[0] !== '' && halves[1] !== '' ? halves[1] : undefined;
  if (criterion.accept) return ruled(true, 'accept', 'accept');
  if (criterion.reject) return ruled(false, 'reject', 'reject');
  if (criterion.authenticatedUser) return ruled(true, 'user-ok', 'user-unauthorized');
  if (user) return ruled(naiveText(user, identity?.user, absent(true)), 'user-ok', 'user-unauthorized');
  if (email) return ruled(naiveText(email, identity?.email, absent(true)), 'email-ok', 'email-unauthorized');
  if (domain) return ruled(naiveText(domain, after, absent(false)), 'domain-ok', 'domain-unauthorized');
  if (groups) return ruled(naiveList(groups, identity?.groups, absent(true)), 'groups-ok', 'groups-unauthorized');
  if (claim) {
    const [top = '', below] = claim.path;
    const value = below === undefined ? identity?.claims[top] : Object(identity?.claims[top])[below];
    const list = value === undefined ? undefined : [value].flat();
    return ruled(naiveList(claim, list, absent(true)), 'claim-ok', 'claim-unauthorized');
  }
  if (httpMethod)
    return ruled(naiveText(httpMethod, facts.method, false), 'http-method-ok', 'http-method-unauthorized');
  if (httpPath) return ruled(naiveText(httpPath, facts.path, false), 'http-path-ok', 'http-path-unauthorized');
  // Only whole octets are generated: a range is a text that the address begins with.
  const ranges = [sourceIp?.is, ...(sourceIp?.in ?? [])].filter((range) => range !== undefined);
  const inside = ranges.some((range) => facts.ip.replace('::ffff:', '').startsWith(range.replace('.0.0.0/8', '.')));
  return ruled(inside, 'source-ip-ok', 'source-ip-unauthorized');
}

type Action = 'allow' | 'deny';

export function naiveAction(
  rules: readonly Rule[],
  action: Action,
  facts: Facts,
  absence: Absence,
): Ruling | undefined {
  if (rules.every((rule) => rule[action] === undefined)) return undefined;
  const terms: Ruling[] = [];
  for (const rule of rules) {
    const of = (operator: keyof Operators): readonly Ruling[] => {
      const inverted = operator === 'not' || operator === 'nor';
      const againstWhenTrue = (action === 'deny') !== inverted;
      return (rule[action]?.[operator] ?? []).map((one) => naiveCriterion(one, facts, againstWhenTrue, absence));
    };
    if (of('and').length > 0) terms.push(mergeWithAnd(of('and')));
    if (of('or').length > 0) terms.push(mergeWithOr(of('or')));
    if (of('not').length > 0) terms.push(mergeWithAnd(of('not').map(invert)));
    if (of('nor').length > 0) terms.push(mergeWithOr(of('nor').map(invert)));
  }
  return mergeWithOr(terms);
}

/** "How policies combine", sentence by sentence. */
export function naiveDecision(
  { policies, defaultAccess }: Access,
  facts: Facts,
  absence: Absence = 'against',
): Decision {
  const own = policies.filter(({ attachment }) => attachment === 'Own');
  const defaults = own.length > 0 ? [] : policies.filter(({ attachment }) => attachment === 'Default');
  const mandatory = policies.filter(({ attachment }) => attachment === 'Mandatory');
  const governing = [...own, ...defaults, ...mandatory];
  if (governing.some(({ policy }) => policy.broken)) return 'Deny';
  const enforced = governing.filter(({ policy }) => policy.mode === 'Enforce');
  const rule = (action: Action, { policy }: AttachedPolicy) => naiveAction(policy.rules, action, facts, absence);
  const unknown = (ruling: Ruling | undefined) => ruling?.reasons.has('user-unauthenticated') === true;
  const nobodyBrought = own.length === 0 && defaults.length === 0;
  if (enforced.some((one) => unknown(rule('allow', one)) || unknown(rule('deny', one)))) return 'Login';
  if (nobodyBrought && defaultAccess === 'Authenticated' && !facts.identity) return 'Login';
  const denied = enforced.some((one) => rule('deny', one)?.value === true);
  const withheld = enforced.some((one) => rule('allow', one)?.value === false);
  const granted = nobodyBrought
    ? defaultAccess === 'Authenticated'
    : enforced.some((one) => one.attachment !== 'Mandatory' && rule('allow', one)?.value === true);
  return granted && !denied && !withheld ? 'Allow' : 'Deny';
}
