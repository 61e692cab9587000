// A policy made for Pomerium (parsed PPL, or the access fields of a route) → rules of ours that say the same, and what they cannot say.
import type { Criterion } from '../../model/criteria.ts';
import type { Operators, Rule } from '../../model/policy.ts';
import { operators } from '../compile.ts';
import type { Action, Operator } from '../compile.ts';
import { convertCriterion, isRecord } from './criterion.ts';
import { layOut } from './formula.ts';
import type { Formula } from './formula.ts';

/** Something that could not be carried over. What stands in its place counts against whoever asks. */
export interface LostPart {
  /** `policy[0].deny.or[1]`, `allowed_groups`. */
  readonly path: string;
  /** What it is, why it cannot be said here, and what to do. */
  readonly message: string;
  /** Whether somebody could get in who was kept out, were all that is lost simply left out. */
  readonly widens: boolean;
}

export interface Conversion {
  /** At least one, and fit for `spec.rules`. */
  readonly rules: readonly Rule[];
  readonly lost: readonly LostPart[];
}

const maxRules = 128;
const maxCriteria = 64;
const maxName = 128;

const accept: Criterion = { accept: true };
const reject: Criterion = { reject: true };
const authenticatedUser: Criterion = { authenticatedUser: true };

/** One operator of one action. A rule has each of the four at the most once. */
interface Term {
  readonly action: Action;
  readonly operator: keyof Operators;
  readonly criteria: readonly Criterion[];
}

interface Part<Result> {
  readonly result: readonly Result[];
  readonly lost: readonly LostPart[];
}

/** The Pomerium Policy Language, already parsed from YAML or JSON: a set of rules, or a list of sets. Total: it never throws. */
export function convertPomeriumPolicy(value: unknown): Conversion {
  return finish(convertPolicy(value));
}

/** For `convertPomeriumRoute`, which joins more to it. */
export function convertPolicy(value: unknown): Part<Rule> {
  if (!Array.isArray(value)) return convertRuleset(value, 'policy');
  const parts = value.map((ruleset: unknown, index) => convertRuleset(ruleset, `policy[${index}]`));
  return { result: parts.flatMap(({ result }) => result), lost: parts.flatMap(({ lost }) => lost) };
}

export function finish({ result, lost }: Part<Rule>): Conversion {
  if (result.length === 0) return { rules: [{ name: 'nothing was allowed', allow: { or: [reject] } }], lost };
  if (result.length <= maxRules) return { rules: result, lost };
  const refused = refuse('policy', `it comes to ${result.length} rules, and a Policy holds ${maxRules}; divide it`);
  return { rules: refused.result, lost: [...lost, ...refused.lost] };
}

/** Pomerium would not have served a route with this, so nobody gets in here either. */
function refuse(path: string, message: string): Part<Rule> {
  const name = `denies everybody: ${path} could not be converted`.slice(0, maxName);
  return { result: [{ name, deny: { or: [accept] } }], lost: [{ path, message, widens: true }] };
}

function convertRuleset(value: unknown, path: string): Part<Rule> {
  if (!isRecord(value)) return refuse(path, 'an object with allow, deny or both is wanted');
  const terms: Term[] = [];
  const lost: LostPart[] = [];
  for (const [action, criteria] of Object.entries(value)) {
    const at = `${path}.${shown(action)}`;
    if (action !== 'allow' && action !== 'deny') return refuse(at, 'there is no such action; allow and deny are known');
    if (!isRecord(criteria)) return refuse(at, 'an object with and, or, not or nor is wanted');
    for (const [operator, list] of Object.entries(criteria)) {
      // Pomerium lets it stand there, and does not look at it.
      if (operator === 'action') continue;
      const place = `${at}.${shown(operator)}`;
      if (!isOperator(operator)) return refuse(place, 'there is no such operator; and, or, not and nor are known');
      if (!Array.isArray(list)) return refuse(place, 'a list of criteria is wanted');
      const part = convertOperator(action, operator, list, place);
      terms.push(...part.result);
      lost.push(...part.lost);
    }
  }
  return { result: nameLosses(pack(terms), path, lost), lost };
}

function isOperator(name: string): name is keyof Operators {
  return Object.hasOwn(operators, name);
}

function shown(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}…` : name;
}

function convertOperator(action: Action, name: keyof Operators, list: readonly unknown[], path: string): Part<Term> {
  const { all, inverted } = operators[name];
  const refuses = (action === 'deny') !== inverted;
  const missing: Pick<LostPart, 'path' | 'message'>[] = [];
  const of = list.map((element, index): Formula => {
    const converted = convertElement(element, refuses);
    if (!('why' in converted)) return converted;
    missing.push({ path: `${path}[${index}]`, message: converted.why });
    return { criterion: standIn(action, operators[name]) };
  });
  // Under "and" a condition less lets in more, and so does a reason less to deny; without any condition there is no deny.
  const isEmptied = missing.length === list.length;
  const widens = action === 'allow' ? all && !isEmptied : !all || isEmptied;
  const lost = missing.map((part) => ({ ...part, widens }));
  // ¬A ∧ ¬B is ¬(A ∨ B), and ¬A ∨ ¬B is ¬(A ∧ B): what is inverted is laid out the other way round.
  const clauses = layOut({ join: all === inverted ? 'any' : 'all', of }, inverted ? 'all' : 'any');
  if (clauses === undefined || clauses.some(({ length }) => length > maxCriteria)) {
    const message = `it is too large: no more than ${maxCriteria} criteria can be joined; divide it`;
    const operator = action === 'allow' && inverted ? 'not' : 'or';
    return {
      result: [{ action, operator, criteria: [standIn(action, operators[operator])] }],
      lost: [{ path, message, widens: action === 'deny' }],
    };
  }
  const [only = [], ...others] = clauses;
  if (all && others.length === 0)
    return { result: only.length === 0 ? [] : [{ action, operator: name, criteria: only }], lost };
  const single = clauses.filter(({ length }) => length === 1).flat();
  const longer = clauses.filter(({ length }) => length > 1);
  const result = [
    ...inPieces(single).map((criteria): Term => ({ action, operator: inverted ? 'nor' : 'or', criteria })),
    ...longer.map((criteria): Term => ({ action, operator: inverted ? 'not' : 'and', criteria })),
  ];
  return { result, lost };
}

/**
 * What counts against whoever asks. Where something else can still settle the operator, it must go on asking who that is:
 * `accept` would do the same to whoever is signed in, and let in some who are not.
 */
function standIn(action: Action, { all, inverted }: Operator): Criterion {
  const refuses = (action === 'deny') !== inverted;
  if (!refuses) return reject;
  return action === 'deny' && !all ? accept : authenticatedUser;
}

function convertElement(element: unknown, refuses: boolean): ReturnType<typeof convertCriterion> {
  const [[name, data] = [], ...more] = isRecord(element) ? Object.entries(element) : [];
  if (name === undefined || more.length > 0) return { why: 'an object with exactly one criterion is wanted' };
  const converted = convertCriterion({ name, data, refuses });
  return 'why' in converted ? { why: `${shown(name)}: ${converted.why}` } : converted;
}

function inPieces(criteria: readonly Criterion[]): readonly (readonly Criterion[])[] {
  const count = Math.ceil(criteria.length / maxCriteria);
  return Array.from({ length: count }, (_, index) => criteria.slice(index * maxCriteria, (index + 1) * maxCriteria));
}

type Draft = { [Name in Action]?: { [Name in keyof Operators]?: Criterion[] } };

/** As few rules as hold them all: all of them are joined by "or", wherever they stand. */
function pack(terms: readonly Term[]): readonly Rule[] {
  const rules: Draft[] = [];
  for (const { action, operator, criteria } of terms) {
    let rule = rules.find((one) => one[action]?.[operator] === undefined);
    if (rule === undefined) {
      rule = {};
      rules.push(rule);
    }
    rule[action] = { ...rule[action], [operator]: [...criteria] };
  }
  return rules;
}

/** So that whoever reads the rules sees that something stands in for what is lost. */
function nameLosses(rules: readonly Rule[], path: string, lost: readonly LostPart[]): readonly Rule[] {
  if (lost.length === 0) return rules;
  const denies = lost.some((part) => part.path.startsWith(`${path}.deny`));
  const name = `${denies ? 'denies more' : 'allows less'} than in Pomerium: not all of ${path} could be converted`;
  return rules.map((rule) => ({ name: name.slice(0, maxName), ...rule }));
}
