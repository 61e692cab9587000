// What compiling an expression keeps: its parts as closures with their types, and what it found on the way.
import type { parse } from '@bufbuild/cel';
import type { CelBindings, CelFact } from './variables.ts';
import type { Type } from './types.ts';
import type { Meter, Result, Value } from './values.ts';

export type Expr = NonNullable<ReturnType<typeof parse>['expr']>;

/** One evaluation. */
export interface Frame extends Meter {
  readonly bindings: CelBindings;
  /** The variables of the macros around, outermost first. */
  readonly variables: Value[];
}

export interface Node {
  readonly type: Type;
  readonly run: (frame: Frame) => Result;
  /** Present: it is the same whatever is asked. */
  readonly constant?: { readonly value: Value };
  /** Present: its keys are in lower case. */
  readonly isHeaders?: boolean;
}

/** A variable of a macro: `g` in `groups.exists(g, …)`. */
export interface LoopVariable {
  readonly name: string;
  readonly type: Type;
}

export interface Compilation {
  readonly dataSetNames: readonly string[] | undefined;
  readonly reads: Set<CelFact>;
  readonly dataSets: Set<string>;
  readonly loop: LoopVariable[];
  depth: number;
  nodes: number;
}

/** A part of an expression gets compiled in a compilation; both functions of compiling need the other. */
export type CompilePart = (part: Expr | undefined, compilation: Compilation) => Node;

/** Ends a compilation from however deep; compileCel alone catches it. */
export class Mistake extends Error {
  readonly at: bigint;
  constructor(message: string, at: bigint) {
    super(message);
    this.at = at;
  }
}

export function constantNode(value: Value, type: Type): Node {
  return { type, constant: { value }, run: () => value };
}
