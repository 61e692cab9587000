// The operators that are no functions: a place in a list or map, `&&` and `||`, and the choice between two.
import { Mistake } from './nodes.ts';
import type { Expr, Frame, Node } from './nodes.ts';
import { join, kindOfType, mayEqual } from './types.ts';
import type { Type } from './types.ts';
import { fail, Failure, isList, isMap, kindOf, lookUp } from './values.ts';
import type { Result, Value } from './values.ts';

/** Nothing is ever found under such a name, and a deny by it would never hold. */
export function refuseUpperCase(expr: Expr, map: Node, key: unknown): void {
  if (map.isHeaders === true && typeof key === 'string' && key !== key.toLowerCase()) {
    throw new Mistake(`headers are named in lower case: ${key.toLowerCase()}`, expr.id);
  }
}

export function compileIndex(expr: Expr, of: Node, key: Node): Node {
  const kind = kindOfType(of.type);
  const keyKind = kindOfType(key.type);
  if (kind !== undefined && kind !== 'list' && kind !== 'map')
    throw new Mistake(`${kind} has nothing at an index`, expr.id);
  const wanted: Type = typeof of.type === 'string' ? 'dyn' : 'list' in of.type ? 'int' : of.type.key;
  if (keyKind !== undefined && !mayEqual(key.type, wanted)) {
    throw new Mistake(`${kind ?? 'dyn'} has nothing at a ${keyKind}`, expr.id);
  }
  refuseUpperCase(expr, of, key.constant?.value);
  return { type: valueType(of.type), run: at(of, key) };
}

export function valueType(type: Type): Type {
  if (typeof type === 'string') return 'dyn';
  return 'list' in type ? type.list : type.map;
}

export function at(of: Node, key: Node): Node['run'] {
  // A key that is not written out may come from a header that nobody else should see.
  const missing = new Failure(
    typeof key.constant?.value === 'string' ? `there is no ${key.constant.value}` : 'there is no such key',
  );
  return (frame) => {
    const value = of.run(frame);
    if (value instanceof Failure) return value;
    const index = key.run(frame);
    if (index instanceof Failure) return index;
    if (isList(value)) return itemAt(frame, value, index);
    if (!isMap(value)) return fail(frame, `${kindOf(value)} has no fields`);
    const found = lookUp(value, index);
    return found === undefined ? missing : found;
  };
}

function itemAt(frame: Frame, list: readonly Value[], index: Value): Result {
  if (typeof index !== 'bigint' && typeof index !== 'number') {
    return fail(frame, `list has nothing at a ${kindOf(index)}`);
  }
  const found = list[Number(index)];
  return found === undefined ? outside : found;
}

const outside = new Failure('an index outside the list');

/** One side that settles it is enough, even if the other fails: `settling` is true for `||`, false for `&&`. */
export function logic(expr: Expr, left: Node, right: Node, settling: boolean): Node {
  mustBeBool(expr, left);
  mustBeBool(expr, right);
  const notBool = new Failure(`${settling ? '||' : '&&'} takes only bool`);
  const run = (frame: Frame): Result => {
    const one = left.run(frame);
    if (one === settling) return settling;
    const other = right.run(frame);
    if (other === settling) return settling;
    if (one === !settling && other === !settling) return !settling;
    if (one instanceof Failure) return one;
    return other instanceof Failure ? other : notBool;
  };
  return { type: 'bool', run };
}

export function choice(expr: Expr, condition: Node, yes: Node, no: Node): Node {
  mustBeBool(expr, condition);
  const run = (frame: Frame): Result => {
    const which = condition.run(frame);
    if (which === true) return yes.run(frame);
    if (which === false) return no.run(frame);
    return which instanceof Failure ? which : fail(frame, `a condition is ${kindOf(which)}, not bool`);
  };
  return { type: join(yes.type, no.type), run };
}

function mustBeBool(expr: Expr, { type }: Node): void {
  const kind = kindOfType(type);
  if (kind !== undefined && kind !== 'bool') throw new Mistake(`${kind} stands where bool is needed`, expr.id);
}
