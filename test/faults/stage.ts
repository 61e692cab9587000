// A fault, and the stage that it is played on: two replicas, with what they depend on.
import type { Replicas } from '../replicas/replicas.ts';

export interface Trouble {
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
}

export interface Stage extends Trouble {
  readonly replicas: Replicas;
  stop(): Promise<unknown>;
}

export interface Fault {
  readonly name: string;
  /** How long it is looked at; 3 s unless said otherwise. */
  readonly lastsMs?: number;
  open(): Promise<Stage>;
}

/** Cells of a table, by the heads of its columns. */
export type Row = Readonly<Record<string, string>>;
