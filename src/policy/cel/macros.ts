// The macros over lists and maps: all, exists, exists_one, map, filter, with a price for each turn.
import { Mistake } from './nodes.ts';
import type { Compilation, CompilePart, Expr, Frame, LoopVariable, Node } from './nodes.ts';
import { kindOfType } from './types.ts';
import type { Type } from './types.ts';
import { fail, Failure, isList, isMap, keysOf, kindOf, overBudget, spend } from './values.ts';
import type { Result, Value } from './values.ts';

type Comprehension = Extract<Expr['exprKind'], { case: 'comprehensionExpr' }>['value'];

/** Loops within loops: the parser's own limit of expressions, and a price for each turn, bound the rest. */
const maxLoops = 2;

const accumulator = '@result';

/** How the parser has written a macro out. Nobody else can write a comprehension. */
type Macro =
  | { readonly name: 'all' | 'exists' | 'existsOne'; readonly test: Expr | undefined }
  | { readonly name: 'list'; readonly test?: Expr | undefined; readonly item: Expr | undefined };

function macroOf({ loopStep, accuInit }: Comprehension): Macro | undefined {
  if (loopStep?.exprKind.case !== 'callExpr') return undefined;
  const { function: name, args } = loopStep.exprKind.value;
  if (name === '_&&_') return { name: 'all', test: args[1] };
  if (name === '_||_') return { name: 'exists', test: args[1] };
  if (name === '_+_') return { name: 'list', item: onlyItem(args[1]) };
  if (name !== '_?_:_') return undefined;
  if (accuInit?.exprKind.case === 'constExpr') return { name: 'existsOne', test: args[0] };
  const added = args[1]?.exprKind.case === 'callExpr' ? args[1].exprKind.value.args[1] : undefined;
  return { name: 'list', test: args[0], item: onlyItem(added) };
}

/** `x` of `@result + [x]`. */
function onlyItem(list: Expr | undefined): Expr | undefined {
  return list?.exprKind.case === 'listExpr' ? list.exprKind.value.elements[0] : undefined;
}

export function compileMacro(
  expr: Expr,
  comprehension: Comprehension,
  compilation: Compilation,
  compile: CompilePart,
): Node {
  const macro = macroOf(comprehension);
  if (macro === undefined || comprehension.accuVar !== accumulator)
    throw new Mistake('it is no macro of ours', expr.id);
  const range = compile(comprehension.iterRange, compilation);
  const level = compilation.loop.length;
  if (level === maxLoops) throw new Mistake(`more than ${maxLoops} macros within each other`, expr.id);
  const before = compilation.nodes;
  compilation.loop.push(loopVariable(expr, comprehension.iterVar, range.type, compilation));
  const test = macro.test && condition(macro.test, compile(macro.test, compilation));
  const item = macro.name === 'list' ? compile(macro.item, compilation) : undefined;
  compilation.loop.pop();
  // Each turn costs what is in it, and 1.
  const price = compilation.nodes - before + 1;
  const turn = (frame: Frame, value: Value): boolean => {
    frame.variables[level] = value;
    return spend(frame, price);
  };
  const loop = macro.name === 'list' ? collect(turn, test, item) : loops[macro.name](turn, test ?? (() => true));
  const run = (frame: Frame): Result => {
    const over = range.run(frame);
    if (over instanceof Failure) return over;
    if (isList(over)) return loop(frame, over);
    if (!isMap(over)) return fail(frame, `a macro does not take ${kindOf(over)}`);
    const keys = keysOf(over);
    return spend(frame, keys.length * 4) ? loop(frame, keys) : overBudget;
  };
  return { type: item === undefined ? 'bool' : { list: item.type }, run };
}

function loopVariable(expr: Expr, name: string, range: Type, { loop }: Compilation): LoopVariable {
  if (['request', 'user', 'session', 'data', 'now', ...loop.map((one) => one.name)].includes(name)) {
    throw new Mistake(`the variable of a macro cannot be named ${name}, for that is taken`, expr.id);
  }
  if (range === 'dyn') return { name, type: 'dyn' };
  if (typeof range === 'string') throw new Mistake(`a macro is called on a list or a map, not on ${range}`, expr.id);
  return { name, type: 'list' in range ? range.list : range.key };
}

function condition(expr: Expr, { type, run }: Node): (frame: Frame) => boolean | Failure {
  const kind = kindOfType(type);
  if (kind !== undefined && kind !== 'bool') throw new Mistake(`a condition must be bool, not ${kind}`, expr.id);
  return (frame) => {
    const result = run(frame);
    return typeof result === 'boolean' || result instanceof Failure
      ? result
      : fail(frame, `a condition is ${kindOf(result)}, not bool`);
  };
}

type Turn = (frame: Frame, value: Value) => boolean;
type Test = (frame: Frame) => boolean | Failure;
type Loop = (frame: Frame, items: readonly Value[]) => Result;

/** For `all` one false settles it and for `exists` one true, whatever failed before; CEL's `&&` and `||` do the same. */
function settledBy(settling: boolean): (turn: Turn, test: Test) => Loop {
  return (turn, test) => (frame, items) => {
    let failure: Failure | undefined;
    for (const item of items) {
      if (!turn(frame, item)) return overBudget;
      const result = test(frame);
      if (result === settling) return settling;
      if (result instanceof Failure) failure ??= result;
    }
    return failure ?? !settling;
  };
}

const loops: Readonly<Record<'all' | 'exists' | 'existsOne', (turn: Turn, test: Test) => Loop>> = {
  all: settledBy(false),
  exists: settledBy(true),
  existsOne: (turn, test) => (frame, items) => {
    let count = 0;
    for (const item of items) {
      if (!turn(frame, item)) return overBudget;
      const result = test(frame);
      if (result instanceof Failure) return result;
      if (result) count += 1;
    }
    return count === 1;
  },
};

/** `map` and `filter`. */
function collect(turn: Turn, test: Test | undefined, item: Node | undefined): Loop {
  return (frame, items) => {
    const list: Value[] = [];
    for (const one of items) {
      if (!turn(frame, one)) return overBudget;
      const wanted = test === undefined || test(frame);
      if (wanted instanceof Failure) return wanted;
      if (!wanted) continue;
      const value = item === undefined ? one : item.run(frame);
      if (value instanceof Failure) return value;
      list.push(value);
    }
    return list;
  };
}
