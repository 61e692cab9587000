// From the parser's tree to closures, checking names and types on the way.
import { nearest } from '../spelling.ts';
import { compileCall, describe } from './calls.ts';
import { compileMacro } from './macros.ts';
import { constantNode, Mistake } from './nodes.ts';
import type { Compilation, Expr, Frame, Node } from './nodes.ts';
import { at, choice, compileIndex, logic, refuseUpperCase, valueType } from './operators.ts';
import { join, kindOfType } from './types.ts';
import type { Type } from './types.ts';
import { fail, Failure, isMap, kindOf, lookUp, overBudget, spend } from './values.ts';
import type { Result, Value } from './values.ts';
import { dataSet, instantOf, variables } from './variables.ts';
import type { Field } from './variables.ts';

type Kinds = Expr['exprKind'];
type Of<Case extends NonNullable<Kinds['case']>> = Extract<Kinds, { case: Case }>['value'];

/** Of parts within parts; what is joined by `&&` or `||` is shallow. */
const maxDepth = 32;

export function compile(expr: Expr | undefined, compilation: Compilation): Node {
  if (expr === undefined) throw new Mistake('a part is missing', 0n);
  compilation.nodes += 1;
  if (compilation.depth >= maxDepth) throw new Mistake(`it is nested more than ${maxDepth} deep`, expr.id);
  compilation.depth += 1;
  const node = compileKind(expr, compilation);
  compilation.depth -= 1;
  return node;
}

function compileKind(expr: Expr, compilation: Compilation): Node {
  const { exprKind } = expr;
  switch (exprKind.case) {
    case 'constExpr':
      return compileConstant(expr, exprKind.value);
    case 'identExpr':
      return compileName(expr, exprKind.value.name, compilation);
    case 'selectExpr':
      return compileSelect(expr, exprKind.value, compilation);
    case 'callExpr':
      return compileOperation(expr, exprKind.value, compilation);
    case 'listExpr':
      return compileList(exprKind.value, compilation);
    case 'structExpr':
      return compileMap(expr, exprKind.value, compilation);
    case 'comprehensionExpr':
      return compileMacro(expr, exprKind.value, compilation, compile);
    default:
      throw new Mistake('it is not understood', expr.id);
  }
}

function compileConstant(expr: Expr, { constantKind }: Of<'constExpr'>): Node {
  switch (constantKind.case) {
    case 'boolValue':
      return constantNode(constantKind.value, 'bool');
    case 'int64Value':
      if (BigInt.asIntN(64, constantKind.value) !== constantKind.value)
        throw new Mistake('an int of more than 64 bits', expr.id);
      return constantNode(constantKind.value, 'int');
    case 'doubleValue':
      return constantNode(constantKind.value, 'double');
    case 'stringValue':
      return constantNode(constantKind.value, 'string');
    case 'nullValue':
      return constantNode(null, 'null');
    default:
      throw new Mistake('bytes and unsigned numbers are not used here', expr.id);
  }
}

function compileName(expr: Expr, name: string, compilation: Compilation): Node {
  const level = compilation.loop.findIndex((one) => one.name === name);
  const variable = compilation.loop[level];
  if (variable !== undefined) return { type: variable.type, run: ({ variables }) => variables[level] ?? null };
  if (name === 'now') {
    compilation.reads.add('time');
    return { type: 'timestamp', run: (frame) => readTime(frame, instantOf(frame.bindings.now)) };
  }
  if (Object.hasOwn(variables, name) || name === 'data') {
    const fields = Object.keys(variables[name] ?? {}).map((field) => `${name}.${field}`);
    throw new Mistake(`${name} is used by what is in it: ${fields.join(', ') || 'data.NAME'}`, expr.id);
  }
  const known = [...Object.keys(variables), 'now', 'data', ...compilation.loop.map((one) => one.name)];
  throw new Mistake(`there is no variable ${name}${didYouMean(name, known)}`, expr.id);
}

/** A time is made each time that it is read. */
function readTime(frame: Frame, time: Result): Result {
  return spend(frame, 5) ? time : overBudget;
}

function didYouMean(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

function compileSelect(expr: Expr, { operand, field, testOnly }: Of<'selectExpr'>, compilation: Compilation): Node {
  const found = namedField(expr, operand, field, compilation);
  if (found !== undefined) {
    if (testOnly && found.fact === 'data') throw new Mistake('a data set is there, or the expression fails', expr.id);
    if (testOnly) return { type: 'bool', run: ({ bindings }) => found.read(bindings) !== undefined };
    const missing = new Failure(`there is no ${field}`);
    const read = ({ bindings }: Frame): Result => found.read(bindings) ?? missing;
    const run = found.type === 'timestamp' ? (frame: Frame) => readTime(frame, read(frame)) : read;
    return { type: found.type, run, isHeaders: found.fact === 'headers' };
  }
  const map = compile(operand, compilation);
  if (!['map', undefined].includes(kindOfType(map.type)))
    throw new Mistake(`${describe(map.type)} has no fields`, expr.id);
  refuseUpperCase(expr, map, field);
  if (!testOnly) return { type: valueType(map.type), run: at(map, constantNode(field, 'string')) };
  const run = (frame: Frame): Result => {
    const value = map.run(frame);
    if (value instanceof Failure) return value;
    return isMap(value) ? lookUp(value, field) !== undefined : fail(frame, `${kindOf(value)} has no fields`);
  };
  return { type: 'bool', run };
}

/** A field of a variable, or a data set. */
function namedField(expr: Expr, operand: Expr | undefined, field: string, compilation: Compilation): Field | undefined {
  if (operand?.exprKind.case !== 'identExpr') return undefined;
  const { name } = operand.exprKind.value;
  if (name === 'data') {
    if (compilation.dataSetNames?.includes(field) === false) {
      throw new Mistake(`there is no data set ${field}${didYouMean(field, compilation.dataSetNames)}`, expr.id);
    }
    compilation.reads.add('data');
    compilation.dataSets.add(field);
    return dataSet(field);
  }
  const fields = Object.hasOwn(variables, name) ? variables[name] : undefined;
  if (fields === undefined) return undefined;
  const found = Object.hasOwn(fields, field) ? fields[field] : undefined;
  if (found === undefined) {
    throw new Mistake(`${name} has no ${field}${didYouMean(field, Object.keys(fields))}`, expr.id);
  }
  compilation.reads.add(found.fact);
  return found;
}

function compileOperation(expr: Expr, call: Of<'callExpr'>, compilation: Compilation): Node {
  const { function: name, target, args } = call;
  if (name === '_[_]' && isData(args[0])) return compileDataIndex(expr, args[0], args[1], compilation);
  const parts = [...(target === undefined ? [] : [target]), ...args].map((part) => compile(part, compilation));
  const [one, other, third] = parts;
  if (name === '_[_]' && one !== undefined && other !== undefined) return compileIndex(expr, one, other);
  if (name === '_&&_' && one !== undefined && other !== undefined) return logic(expr, one, other, false);
  if (name === '_||_' && one !== undefined && other !== undefined) return logic(expr, one, other, true);
  if (name === '_?_:_' && one !== undefined && other !== undefined && third !== undefined) {
    return choice(expr, one, other, third);
  }
  return compileCall(expr, call, parts);
}

const isData = (expr: Expr | undefined): expr is Expr =>
  expr?.exprKind.case === 'identExpr' && expr.exprKind.value.name === 'data';

/** `data["on-call"]`: which data set is read is known beforehand. */
function compileDataIndex(expr: Expr, data: Expr, key: Expr | undefined, compilation: Compilation): Node {
  const name = compile(key, compilation).constant?.value;
  if (typeof name !== 'string') throw new Mistake('the name of a data set must be written out', expr.id);
  return compileSelect(
    expr,
    { $typeName: 'cel.expr.Expr.Select', operand: data, field: name, testOnly: false },
    compilation,
  );
}

function compileList({ elements }: Of<'listExpr'>, compilation: Compilation): Node {
  const items = elements.map((element) => compile(element, compilation));
  const type: Type = { list: items.reduce<Type>((held, item) => join(held, item.type), 'never') };
  const run = (frame: Frame): Result => {
    const list: Value[] = [];
    for (const item of items) {
      const value = item.run(frame);
      if (value instanceof Failure) return value;
      list.push(value);
    }
    return list;
  };
  const fixed = items.flatMap(({ constant }) => (constant === undefined ? [] : [constant.value]));
  return fixed.length === items.length ? constantNode(fixed, type) : { type, run };
}

function compileMap(expr: Expr, { entries, messageName }: Of<'structExpr'>, compilation: Compilation): Node {
  if (messageName !== '') throw new Mistake('there are no messages here, only maps', expr.id);
  const pairs = entries.map(({ keyKind, value }) => {
    const key = compile(keyKind.case === 'mapKey' ? keyKind.value : undefined, compilation);
    if (!['string', 'int', 'bool', undefined].includes(kindOfType(key.type))) {
      throw new Mistake(`the key of a map is a string, an int or a bool, not ${describe(key.type)}`, expr.id);
    }
    return { key, value: compile(value, compilation) };
  });
  const type: Type = {
    key: pairs.reduce<Type>((held, { key }) => join(held, key.type), 'never'),
    map: pairs.reduce<Type>((held, { value }) => join(held, value.type), 'never'),
  };
  return { type, run: (frame) => runMap(frame, pairs) };
}

function runMap(frame: Frame, pairs: readonly { readonly key: Node; readonly value: Node }[]): Result {
  if (!spend(frame, pairs.length * 4)) return overBudget;
  const map = new Map<string | bigint | boolean, Value>();
  for (const pair of pairs) {
    const key = pair.key.run(frame);
    if (key instanceof Failure) return key;
    if (typeof key !== 'string' && typeof key !== 'bigint' && typeof key !== 'boolean') {
      return fail(frame, `the key of a map is a string, an int or a bool, not ${kindOf(key)}`);
    }
    if (map.has(key)) return new Failure('a map has a key twice');
    const value = pair.value.run(frame);
    if (value instanceof Failure) return value;
    map.set(key, value);
  }
  return map;
}
