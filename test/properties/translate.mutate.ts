// Mutations of Kubernetes objects: any part replaced by anything, deleted, or taken from another object.
import * as fc from 'fast-check';
import type { KubernetesObject } from '../../src/model/objects.ts';

type Path = readonly string[];

/** `at` picks among all parts of the object. */
interface Mutation {
  readonly at: number;
  readonly what: { readonly delete: true } | { readonly value: unknown };
}

const odd = fc.constantFrom<unknown>(
  '',
  '\ud800',
  '\u0000',
  '*',
  '/',
  '/a/../b',
  'sallyport',
  'constructor',
  'x'.repeat(20_000),
  -1,
  0,
  1.5,
  1e308,
  true,
  null,
  [],
  [[]],
  {},
  [null],
  JSON.parse('{"__proto__": {"host": "a.example.com"}}'),
  JSON.parse('{"constructor": "x", "toString": 1, "valueOf": null, "hasOwnProperty": 0, "length": 9}'),
  // Names and hosts of the world that is mutated, so that mutants come close to each other.
  'app.example.com',
  'staff',
  'app',
  { name: 'staff' },
  { 'sallyport.dev/access': 'public' },
  { 'sallyport.dev/policy': 5, 'kubernetes.io/ingress.class': {} },
);

const value = fc.oneof({ weight: 3, arbitrary: odd }, fc.jsonValue({ maxDepth: 3 }), fc.string({ unit: 'binary' }));

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(10_000),
  what: fc.oneof(
    { weight: 1, arbitrary: fc.constant({ delete: true } as const) },
    { weight: 4, arbitrary: value.map((it) => ({ value: it })) },
  ),
});

export const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });
export type Mutations = readonly Mutation[];

/** What names an object is what an inventory vouches for, and `fixed` what a property needs to stay. */
export function mutate(object: KubernetesObject, steps: Mutations, fixed: readonly string[] = []): KubernetesObject {
  const kept = new Set(['apiVersion', 'kind', 'metadata', 'metadata.name', 'metadata.namespace', ...fixed]);
  return steps.reduce((mutant, { at, what }) => {
    // Also of parts that were not there: the fields that code looks for are where it could trip.
    const missing = ['labels', 'annotations', 'generation', 'creationTimestamp'].map((field) => ['metadata', field]);
    const paths = [...pathsOf(mutant), ...missing, ['spec']].filter((path) => !kept.has(path.join('.')));
    return replaceAt(mutant, paths[at % paths.length] ?? ['spec'], what) as KubernetesObject;
  }, object);
}

function pathsOf(part: unknown, here: Path = []): readonly Path[] {
  if (typeof part !== 'object' || part === null || here.length > 10) return [here];
  const below = Object.entries(part).flatMap(([key, child]) => pathsOf(child, [...here, key]));
  return here.length === 0 ? below : [here, ...below];
}

function replaceAt(part: unknown, [key, ...rest]: Path, what: Mutation['what']): unknown {
  if (key === undefined) return 'value' in what ? what.value : undefined;
  const isList = Array.isArray(part);
  const entries = typeof part === 'object' && part !== null ? Object.entries(part) : [];
  const isDeletion = rest.length === 0 && 'delete' in what;
  const changed = new Map<string, unknown>(entries);
  if (isDeletion) changed.delete(key);
  else changed.set(key, replaceAt(changed.get(key), rest, what));
  return isList ? [...changed.values()] : Object.fromEntries(changed);
}
