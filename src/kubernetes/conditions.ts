// Statuses compared and dated: what differs from what an object already says, and since when a condition holds.
import { isDeepStrictEqual } from 'node:util';
import type { Condition, Status } from '../model/kinds.ts';
import { isRecord } from './client.ts';

/** Whether all that we would say is already said. Conditions that others have added are theirs. */
export function isSaid(desired: Status, known: unknown): boolean {
  const timeless = (condition: Partial<Condition>) => ({ ...condition, lastTransitionTime: '' });
  const before = new Map(conditionsOf(known).map((condition) => [condition.type, timeless(condition)]));
  const conditions = desired.conditions ?? [];
  return (
    conditions.every((condition) => isDeepStrictEqual(timeless(condition), before.get(condition.type))) &&
    desired.routes === (isRecord(known) ? known['routes'] : undefined)
  );
}

/**
 * Whether another class of ours has said it, and ours has nothing to add: of two installations that both look at a Policy,
 * the one that uses it speaks, and the other is silent. What was said of an older generation was said by who has left.
 */
export function isAnothers(desired: Status, known: unknown, fieldManager: string): boolean {
  const writers = isRecord(known) && Array.isArray(known['writers']) ? known['writers'] : [];
  if (writers.length === 0 || writers.includes(fieldManager)) return false;
  const programmed = ({ type }: Partial<Condition>) => type === 'Programmed';
  const before = conditionsOf(known).find(programmed);
  const ours = desired.conditions?.find(programmed);
  if (before?.observedGeneration !== ours?.observedGeneration) return false;
  return ours?.reason === 'Unused' || (ours?.status === before?.status && before?.reason !== 'Unused');
}

/**
 * The status with its conditions dated: `lastTransitionTime` is when a condition flipped, not when we last looked.
 * @param nowMs Milliseconds since the epoch.
 */
export function dated(desired: Status, known: unknown, nowMs: number): Status {
  if (desired.conditions === undefined) return desired;
  const at = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
  const before = new Map(conditionsOf(known).map((condition) => [condition.type, condition]));
  const conditions = desired.conditions.map((condition) => {
    const last = before.get(condition.type);
    const since = last?.status === condition.status ? last.lastTransitionTime : undefined;
    return { ...condition, lastTransitionTime: since ?? at };
  });
  return { ...desired, conditions };
}

function conditionsOf(status: unknown): Partial<Condition>[] {
  const conditions = isRecord(status) ? status['conditions'] : undefined;
  return Array.isArray(conditions) ? conditions.filter(isRecord) : [];
}
