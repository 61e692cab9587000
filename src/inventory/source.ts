// What the control loop asks of whatever objects come from: a cluster or a folder.
import type { ObjectReference } from '../model/diagnostic.ts';

export interface InventorySource {
  /** Resolves when every kind is listed and the first inventory was handed to onChange. */
  start(): Promise<void>;
  /**
   * Says which Secrets translation has named (keys ns/name): their content is fetched, then a new inventory follows;
   * content of those no longer named is forgotten. Idempotent and cheap.
   */
  reference(secrets: ReadonlySet<string>): void;
  /** Where a field of an object stands, for files. */
  locate?(object: ObjectReference, path: string): { file: string; line: number } | undefined;
  stop(): Promise<void>;
}
