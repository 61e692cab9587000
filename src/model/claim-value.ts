// How a claim's value compares, whatever shape a provider gave it.
export type List = readonly unknown[];

/** How an element compares: numbers and booleans by their spelling; objects and null equal nothing. */
export function spelling(element: unknown): string | undefined {
  if (typeof element === 'string') return element;
  if (typeof element === 'number' || typeof element === 'boolean') return String(element);
  return undefined;
}

/** A single value is a list of one; undefined where there is nothing to compare with. */
export function listOf(value: unknown): List | undefined {
  if (Array.isArray(value)) return value;
  return spelling(value) === undefined ? undefined : [value];
}
