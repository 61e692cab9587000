// Calls: the overloads that the types leave are chosen when an expression is compiled, and the one among them when it runs.
import { compilePattern } from '../pattern.ts';
import { nearest } from '../spelling.ts';
import { functions, methods } from './functions.ts';
import { Mistake, constantNode } from './nodes.ts';
import type { Expr, Frame, Node } from './nodes.ts';
import type { Overload, Parameter } from './overloads.ts';
import { partsOfDuration, partsOfTimestamp, utc, zoneOf } from './time.ts';
import { kindOfType, mayEqual } from './types.ts';
import type { Type } from './types.ts';
import { fail, Failure, Instant, kindOf, overBudget, Span, spend } from './values.ts';
import type { Result, Value } from './values.ts';

type Call = Extract<Expr['exprKind'], { case: 'callExpr' }>['value'];

const macros = ['has', 'all', 'exists', 'exists_one', 'map', 'filter'];
const special = ['matches', ...Object.keys(partsOfTimestamp)];

/** The parts have been compiled; the first of a method's is what it is called on. */
export function compileCall(expr: Expr, call: Call, parts: readonly Node[]): Node {
  const { target, function: name } = call;
  if (target !== undefined && name === 'matches') return compileMatches(expr, parts);
  if (target !== undefined && Object.hasOwn(partsOfTimestamp, name)) return compileTimePart(expr, name, parts);
  const known = (target === undefined ? functions : methods).get(name);
  if (known === undefined) throw new Mistake(unknownFunction(name, target !== undefined), expr.id);
  const overloads = known.filter(({ parameters }) => parameters.length === parts.length);
  if (overloads.length === 0) {
    const wanted = (known[0]?.parameters.length ?? 0) - (target === undefined ? 0 : 1);
    throw new Mistake(`${name} takes ${wanted === 1 ? 'one argument' : `${wanted} arguments`}`, expr.id);
  }
  refuseWhatNeverHolds(expr, name, parts);
  const possible = overloads.filter(({ parameters }) =>
    parts.every((part, index) => mayTake(parameters[index], part.type)),
  );
  if (possible.length === 0) {
    throw new Mistake(`${spell(name)} does not take ${parts.map(({ type }) => describe(type)).join(' and ')}`, expr.id);
  }
  const node = { type: resultOf(possible, parts), run: choose(name, possible, parts) };
  return parts.every(({ constant }) => constant !== undefined) ? fold(expr, node) : node;
}

function choose(name: string, possible: readonly Overload[], parts: readonly Node[]): Node['run'] {
  const [first, second] = parts;
  const runFirst = first?.run ?? (() => null);
  const runSecond = second?.run ?? (() => null);
  const [only] = possible;
  const isCertain =
    possible.length === 1 &&
    only !== undefined &&
    parts.every(({ type }, index) => isCertainly(only.parameters[index], type));
  const callFor = (frame: Frame, one: Value, other: Value): Result => {
    const overload = possible.find(
      ({ parameters }) => takes(parameters[0], one) && (parameters.length < 2 || takes(parameters[1], other)),
    );
    if (overload !== undefined) return overload.call(frame, one, other);
    const given = parts.length < 2 ? kindOf(one) : `${kindOf(one)} and ${kindOf(other)}`;
    return fail(frame, `${spell(name)} does not take ${given}`);
  };
  const call = isCertain ? only.call : callFor;
  return (frame) => {
    const one = runFirst(frame);
    if (one instanceof Failure) return one;
    const other = runSecond(frame);
    return other instanceof Failure ? other : call(frame, one, other);
  };
}

const takes = (parameter: Parameter | undefined, value: Value): boolean =>
  parameter === 'dyn' || parameter === kindOf(value);

function isCertainly(parameter: Parameter | undefined, type: Type): boolean {
  return parameter === 'dyn' || parameter === kindOfType(type);
}

function mayTake(parameter: Parameter | undefined, type: Type): boolean {
  return kindOfType(type) === undefined || isCertainly(parameter, type);
}

function resultOf(possible: readonly Overload[], parts: readonly Node[]): Type {
  const types = parts.map(({ type }) => type);
  const [first = 'dyn', ...others] = possible.map(({ result }) =>
    typeof result === 'function' ? result(types) : result,
  );
  return others.every((other) => kindOfType(other) === kindOfType(first)) ? first : 'dyn';
}

/** A comparison of what is never equal is a slip, such as a list with a string: it would silently be false, or true for `!=`. */
function refuseWhatNeverHolds(expr: Expr, name: string, [left, right]: readonly Node[]): void {
  if (left === undefined || right === undefined) return;
  if ((name === '_==_' || name === '_!=_') && !mayEqual(left.type, right.type)) {
    throw new Mistake(`${describe(left.type)} is never equal to ${describe(right.type)}`, expr.id);
  }
  if (name !== '@in' || typeof right.type === 'string') return;
  const held = 'list' in right.type ? right.type.list : right.type.key;
  if (!mayEqual(left.type, held)) {
    throw new Mistake(`${describe(left.type)} is never in ${describe(right.type)}`, expr.id);
  }
}

const tooLong = new Failure('the text is too long for the pattern of matches');

/** A pattern's step takes up to 60 ns where it is made to be slow. */
const stepsOfPattern = 4;

/** CEL finds a match anywhere. The pattern is written out, so that it is compiled once and its mistakes are seen here. */
function compileMatches(expr: Expr, [text, written]: readonly Node[]): Node {
  if (text === undefined || written === undefined) throw new Mistake('matches takes one argument', expr.id);
  const source = written.constant?.value;
  if (typeof source !== 'string') throw new Mistake('the pattern of matches must be written out as a string', expr.id);
  if (!mayTake('string', text.type)) throw new Mistake(`matches does not take ${describe(text.type)}`, expr.id);
  const pattern = compilePattern(source, 'Part');
  if ('mistake' in pattern) throw new Mistake(`the pattern of matches: ${pattern.mistake}`, expr.id);
  const run = (frame: Frame): Result => {
    const value = text.run(frame);
    if (value instanceof Failure) return value;
    if (typeof value !== 'string') return fail(frame, `matches does not take ${kindOf(value)}`);
    if (!spend(frame, 10 + pattern.work(value.length) * stepsOfPattern)) return overBudget;
    const answer = pattern.ok(value);
    return answer === 'Error' ? tooLong : answer;
  };
  return { type: 'bool', run };
}

/** `now.getHours("Europe/Berlin")`; without a zone in UTC. */
function compileTimePart(expr: Expr, name: string, [time, written]: readonly Node[]): Node {
  const ofDate = partsOfTimestamp[name];
  const ofSpan = partsOfDuration[name];
  if (time === undefined || ofDate === undefined) throw new Mistake(`${name} is called on a timestamp`, expr.id);
  const mayBeSpan = ofSpan !== undefined && written === undefined;
  if (!mayTake('timestamp', time.type) && !(mayBeSpan && mayTake('duration', time.type))) {
    throw new Mistake(`${name} does not take ${describe(time.type)}`, expr.id);
  }
  const zoneName = written?.constant?.value;
  const zone = written === undefined ? utc : typeof zoneName === 'string' ? zoneOf(zoneName) : undefined;
  if (zone === undefined)
    throw new Mistake(`the time zone of ${name} must be written out, like "Europe/Berlin"`, expr.id);
  // Through a zone it takes 7 µs.
  const cost = written === undefined ? 20 : 1000;
  const run = (frame: Frame): Result => {
    const value = time.run(frame);
    if (value instanceof Failure) return value;
    if (!spend(frame, cost)) return overBudget;
    if (value instanceof Instant) return BigInt(ofDate(zone(value)));
    return ofSpan !== undefined && value instanceof Span && mayBeSpan
      ? ofSpan(value)
      : fail(frame, `${name} does not take ${kindOf(value)}`);
  };
  return { type: 'int', run };
}

/** What is the same whatever is asked is worked out once, and its failure is a mistake: `timestamp("tomorrow")`. */
function fold(expr: Expr, { type, run }: Node): Node {
  const value = run({ bindings: nothing, variables: [], left: 100_000 });
  if (value instanceof Failure) throw new Mistake(value.message, expr.id);
  return constantNode(value, type);
}

const nothing = {
  request: { method: '', path: '', host: '', ip: '', headers: new Map(), query: new Map() },
  now: 0,
  data: {},
};

function unknownFunction(name: string, isMethod: boolean): string {
  if (macros.includes(name))
    return `${name} is not used so: it takes a field (has), or is called on a list with a variable and a condition`;
  const known = [...(isMethod ? [...methods.keys(), ...special] : functions.keys()), ...macros];
  const meant = nearest(name, known);
  return `there is no ${isMethod ? 'method' : 'function'} ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

const spell = (name: string): string => name.replaceAll(/[_@]/g, '');

export function describe(type: Type): string {
  return kindOfType(type) ?? 'dyn';
}
