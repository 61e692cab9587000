// What the control loop asks of whatever objects come from: a cluster or a folder.
import type { ObjectReference } from '../model/diagnostic.ts';
import type { References } from '../model/objects.ts';

export interface InventorySource {
  /** Resolves when every kind is listed and the first inventory was handed to onChange. */
  start(): Promise<void>;
  /**
   * Says what translation has referred to: that content is fetched, then a new inventory follows; content that nothing
   * refers to any more is forgotten. Idempotent and cheap.
   */
  reference(references: References): void;
  /** Where a field of an object stands, for files. */
  locate?(object: ObjectReference, path: string): { file: string; line: number } | undefined;
  stop(): Promise<void>;
}
