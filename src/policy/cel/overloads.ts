// How a function or operator is written down: the kinds it takes, what it gives, and what it does.
import type { Type } from './types.ts';
import { overBudget, spend } from './values.ts';
import type { CelMap, Instant, Meter, Result, Span, Value } from './values.ts';

interface OfKind {
  readonly bool: boolean;
  readonly int: bigint;
  readonly double: number;
  readonly string: string;
  readonly timestamp: Instant;
  readonly duration: Span;
  readonly list: readonly Value[];
  readonly map: CelMap;
  readonly dyn: Value;
}
export type Parameter = keyof OfKind;

export interface Overload {
  readonly parameters: readonly Parameter[];
  readonly result: Type | ((types: readonly Type[]) => Type);
  readonly call: (meter: Meter, one: Value, other: Value) => Result;
}

/** The kinds are checked before the call, by the types or at run time. */
export function unary<A extends Parameter>(
  parameter: A,
  result: Overload['result'],
  call: (one: OfKind[A], meter: Meter) => Result,
): Overload {
  return { parameters: [parameter], result, call: (meter, one) => call(one as OfKind[A], meter) };
}

export function binary<A extends Parameter, B extends Parameter>(
  first: A,
  second: B,
  result: Overload['result'],
  call: (one: OfKind[A], other: OfKind[B], meter: Meter) => Result,
): Overload {
  return {
    parameters: [first, second],
    result,
    call: (meter, one, other) => call(one as OfKind[A], other as OfKind[B], meter),
  };
}

/** What takes longer than a step, whatever it is given. */
export function priced(steps: number, { parameters, result, call }: Overload): Overload {
  return {
    parameters,
    result,
    call: (meter, one, other) => (spend(meter, steps) ? call(meter, one, other) : overBudget),
  };
}
