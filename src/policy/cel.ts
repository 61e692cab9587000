// CEL: an expression becomes a function that always answers, within a limit on what it may cost.
//
// @bufbuild/cel parses and expands the macros. It does not evaluate here, because what it evaluates cannot be bounded: its
// loops have no hook to count in, each error captures a stack (`all` over 1,000 elements without the field takes 10 ms, over
// 10,000 it takes 100), `filter` makes a list of lists that takes time with the square of its length, `matches` compiles its pattern for
// each call, a time zone costs 130 µs, and it has no checker. Ours are closures that spend from a budget; the tests hold
// their answers to the library's.
import { parse } from '@bufbuild/cel';
import { compile } from './cel/compile.ts';
import { Mistake } from './cel/nodes.ts';
import type { Compilation, Expr, Node } from './cel/nodes.ts';
import { kindOfType } from './cel/types.ts';
import { Failure, kindOf, overBudget } from './cel/values.ts';
import type { Meter } from './cel/values.ts';
import type { CelBindings, CelFact } from './cel/variables.ts';

export type { CelBindings, CelFact } from './cel/variables.ts';

/** It cannot be judged: an allow by it does not match, a deny does. */
export interface CelFailure {
  readonly failed: string;
}

export interface CelExpression {
  /** Never throws. `meter` has what is left of the budget afterwards. */
  readonly run: (bindings: CelBindings, meter?: Meter) => boolean | CelFailure;
  readonly reads: ReadonlySet<CelFact>;
  /** Without a session it is not worth running: it asks who it is. */
  readonly readsIdentity: boolean;
  readonly dataSets: readonly string[];
}

export interface CelMistake {
  readonly mistake: string;
  /** Where in the expression, in UTF-16 code units from 0. */
  readonly offset?: number;
}

/** UTF-16 code units. 2,048 of `a&&a` took the parser 20 ms. */
const maxExpressionLength = 1024;

/** A mistake may quote the expression. */
const maxMessageLength = 200;

/** The parser takes up to 15 µs for each. */
const maxTokens = 500;

/** The parser calls itself for each bracket. */
const maxBrackets = 32;

/**
 * What one run may spend: a step is about 10 ns, so this is about 2 ms (bench/policy-hostile.ts). 10,000 groups pay for
 * `exists` with two comparisons.
 */
export const maxSteps = 200_000;

/** `dataSetNames`: those that the policy declares, for no other may be read; undefined: whoever asks looks at `dataSets` himself. */
export function compileCel(expression: string, dataSetNames?: readonly string[]): CelExpression | CelMistake {
  if (expression.length > maxExpressionLength)
    return { mistake: `it is longer than ${maxExpressionLength} characters` };
  if (tokensOf(expression) > maxTokens) return { mistake: `it has more than ${maxTokens} parts` };
  if (bracketsOf(expression) > maxBrackets)
    return { mistake: `it has more than ${maxBrackets} brackets within each other` };
  const parsed = parseCel(expression);
  if ('mistake' in parsed) return parsed;
  const compilation: Compilation = {
    dataSetNames,
    reads: new Set(),
    dataSets: new Set(),
    loop: [],
    depth: 0,
    nodes: 0,
  };
  try {
    return finish(compile(parsed.expr, compilation), compilation);
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    const offset = parsed.positions[error.at.toString()];
    return { mistake: error.message.slice(0, maxMessageLength), ...(offset !== undefined && { offset }) };
  }
}

interface Parsed {
  readonly expr: Expr | undefined;
  readonly positions: Readonly<Record<string, number>>;
}

function parseCel(expression: string): Parsed | CelMistake {
  try {
    // At the end of an expression spaces cost the parser the square of their number.
    const { expr, sourceInfo } = parse(expression.trimEnd());
    return { expr, positions: sourceInfo?.positions ?? {} };
  } catch (error) {
    // `<input>:1:11: found end of input but expecting …`, which goes on with everything that could have stood there.
    const message = error instanceof Error ? error.message : '';
    const [, line, column, what] = /^<input>:(\d+):(\d+): (.*?)(?: but expecting .*)?$/s.exec(message) ?? [];
    if (line === undefined) return { mistake: `it is no CEL: ${message.slice(0, maxMessageLength)}` };
    const before = expression.split('\n').slice(0, Number(line) - 1);
    const offset = before.reduce((sum, one) => sum + one.length + 1, 0) + Number(column) - 1;
    return { mistake: `it is no CEL: ${(what ?? '').slice(0, maxMessageLength)}`, offset };
  }
}

/** Words, strings without escapes, and whatever else stands alone: a few too many rather than too few. */
function tokensOf(expression: string): number {
  return expression.match(/"[^"\\\n]*"|'[^'\\\n]*'|\w+|[^\s\w]/g)?.length ?? 0;
}

/** Those in strings count too, which is no harm. */
function bracketsOf(expression: string): number {
  let open = 0;
  let most = 0;
  for (const character of expression) {
    if ('([{'.includes(character)) open += 1;
    else if (')]}'.includes(character)) open -= 1;
    most = Math.max(most, open);
  }
  return most;
}

function finish(node: Node, { reads, dataSets }: Compilation): CelExpression | CelMistake {
  const kind = kindOfType(node.type);
  if (kind !== undefined && kind !== 'bool') return { mistake: `it gives ${kind}, and must give bool`, offset: 0 };
  const run: CelExpression['run'] = (bindings, meter = { left: maxSteps }) => {
    const frame = { bindings, variables: [], left: meter.left };
    const result = node.run(frame);
    meter.left = frame.left;
    // Another side of `||` may have passed over it, and would by its place in the expression decide what is cut short.
    if (frame.left < 0) return { failed: overBudget.message };
    if (result instanceof Failure) return { failed: result.message };
    return typeof result === 'boolean' ? result : { failed: `it gives ${kindOf(result)}, and must give bool` };
  };
  return { run, reads, readsIdentity: reads.has('identity') || reads.has('session'), dataSets: [...dataSets] };
}
