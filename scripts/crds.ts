// Makes crds/*.yaml from the schemas of our kinds; with --check, says which of them are not current.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { statusOf } from '../src/model/kinds.ts';
import { ownKinds } from '../src/model/resources.ts';
import type { OwnKind } from '../src/model/resources.ts';
import { collections } from '../src/model/objects.ts';

const directory = join(import.meta.dirname, '..', 'crds');

type Schema = Readonly<Record<string, unknown>>;

// What a structural schema may carry as it is (kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/
// custom-resource-definitions/#specifying-a-structural-schema). Whatever is not here is an error, not a guess.
const kept = new Set([
  'default',
  'description',
  'enum',
  'maxItems',
  'maxLength',
  'maxProperties',
  'maximum',
  'minItems',
  'minLength',
  'minProperties',
  'minimum',
  'nullable',
  'pattern',
  'required',
  'type',
]);

// A CRD has no references, so that the vocabulary stands under each of eight operators. What a matcher means is told under the
// first of them: all eight together are more than the annotation of `kubectl apply` holds (262,144 bytes).
const isTold = /\.rules\[\]\.(allow\.(or|not|nor)|deny\.[a-z]+)\[\]\.[A-Za-z]+\./;

/** Whether a rule says the same as the pattern, and what is wanted besides: once is enough. */
function isInWords({ pattern, 'x-kubernetes-validations': rules = [] }: Schema): boolean {
  return (
    Array.isArray(rules) && rules.some(({ rule }: { rule: string }) => rule === `self.matches(r'${String(pattern)}')`)
  );
}

/** A structural schema from zod's JSON Schema. Throws, naming the field, where there is no such schema. */
export function structural(schema: Schema, field: string): Schema {
  const result: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === 'description' && isTold.test(field)) continue;
    if (keyword === 'pattern' && isInWords(schema)) continue;
    if (kept.has(keyword) || keyword.startsWith('x-kubernetes-')) {
      if (keyword === 'pattern') refuseLookaround(String(value), field);
      // zod writes the bounds of a safe integer where there are none.
      if (typeof value !== 'number' || Number.isSafeInteger(value * 2)) result[keyword] = value;
    } else if (keyword === 'closed') {
      if (value === true) Object.assign(result, closed(schema));
    } else if (keyword === 'properties') {
      result[keyword] = mapValues(value as Record<string, Schema>, (inner, name) =>
        structural(inner, `${field}.${name}`),
      );
    } else if (keyword === 'items') {
      result[keyword] = structural(value as Schema, `${field}[]`);
    } else if (keyword === 'additionalProperties') {
      Object.assign(result, additional(value, schema, field));
    } else {
      throw new Error(`${field}: a CRD cannot say ${keyword}`);
    }
  }
  if (result['type'] === undefined && result['x-kubernetes-preserve-unknown-fields'] !== true) {
    throw new Error(`${field}: a CRD needs one type`);
  }
  return result;
}

/** The API server prunes what it does not know, which is what a strict object's `false` asks for. */
function additional(value: unknown, schema: Schema, field: string): Schema {
  if (value === false) return {};
  if (schema['properties'] !== undefined) throw new Error(`${field}: a CRD has either properties or additional ones`);
  const any = typeof value !== 'object' || value === null || Object.keys(value).length === 0;
  if (any) return { 'x-kubernetes-preserve-unknown-fields': true };
  return { additionalProperties: structural(value as Schema, `${field}{}`) };
}

/**
 * What makes the API server refuse a misspelt field, and not drop it, whatever way its client asks for validation: unknown
 * fields are kept, so that they count, and there may be no more fields than known ones. CEL cannot see unknown fields, and
 * `additionalProperties: false` is forbidden beside `properties`, so that every set of known optional fields is a branch.
 * Of branches that fail alike the API server tells of the first, which is there to be read: nothing can satisfy it.
 */
function closed(schema: Schema): Schema {
  const properties = Object.entries(schema['properties'] as Record<string, Schema>);
  // Where the number of fields is fixed, rules of its own say which are known.
  if (schema['maxProperties'] !== undefined) return { 'x-kubernetes-preserve-unknown-fields': true };
  const required = new Set((schema['required'] ?? []) as readonly string[]);
  // Defaults are filled in before anything is validated.
  const optional = properties.filter(([name, { default: filled }]) => !required.has(name) && filled === undefined);
  const always = properties.length - optional.length;
  const branches = subsets(optional.map(([name]) => name)).map((names) => ({
    ...(names.length > 0 && { required: names }),
    maxProperties: always + names.length,
  }));
  const told = `(no field but ${properties.map(([name]) => name).join(', ')})`;
  return { 'x-kubernetes-preserve-unknown-fields': true, anyOf: [{ required: [told] }, ...branches] };
}

function subsets(names: readonly string[]): readonly (readonly string[])[] {
  const [first, ...rest] = names;
  if (first === undefined) return [[]];
  return subsets(rest).flatMap((some) => [some, [first, ...some]]);
}

/** The API server's regular expressions are RE2's. */
function refuseLookaround(pattern: string, field: string): void {
  if (/\(\?[=!<]/.test(pattern)) throw new Error(`${field}: RE2 has no look-around, in ${pattern}`);
}

function mapValues(of: Record<string, Schema>, map: (value: Schema, name: string) => Schema): Record<string, Schema> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, map(value, name)]));
}

function schemaOf(type: z.ZodType, field: string): Schema {
  const json = z.toJSONSchema(type, {
    io: 'input',
    target: 'openapi-3.0',
    unrepresentable: 'any',
    reused: 'inline',
  });
  const { $schema: _schema, ...schema } = json as Schema;
  return structural(schema, field);
}

function crdOf(own: OwnKind): { file: string; text: string } {
  const { kind, group, version, resource, namespaced } = collections[own.collection];
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${resource}.${group}` },
    spec: {
      group,
      names: {
        kind,
        listKind: `${kind}List`,
        plural: resource,
        singular: kind.toLowerCase(),
        shortNames: own.shortNames,
      },
      scope: namespaced ? 'Namespaced' : 'Cluster',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          additionalPrinterColumns: own.columns,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              description: own.description,
              type: 'object',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: { description: `What is wanted of this ${kind}.`, ...schemaOf(own.spec, `${kind}.spec`) },
                status: {
                  description: 'What came of it; written by the controller.',
                  ...schemaOf(statusOf, `${kind}.status`),
                },
              },
            },
          },
        },
      ],
    },
  };
  const yaml = stringify(crd, { lineWidth: 120, aliasDuplicateObjects: false });
  return {
    file: `${group}_${resource}.yaml`,
    text: `# Generated from src/model by scripts/crds.ts; do not edit.\n${yaml}`,
  };
}

/** The CRDs as they should be, by file name. */
export function generateCrds(): ReadonlyMap<string, string> {
  return new Map(ownKinds.map(crdOf).map(({ file, text }) => [file, text]));
}

/** Names the files of a folder that are missing, different, or nobody's. */
export async function staleCrds(folder: string): Promise<string[]> {
  const wanted = generateCrds();
  const there = (await readdir(folder)).filter((file) => file.endsWith('.yaml'));
  const stale = there.filter((file) => !wanted.has(file));
  for (const [file, text] of wanted) {
    const found = await readFile(join(folder, file), 'utf8').catch(() => undefined);
    if (found !== text) stale.push(file);
  }
  return stale.toSorted();
}

async function main(): Promise<void> {
  if (process.argv.includes('--check')) {
    const stale = await staleCrds(directory);
    for (const file of stale) console.error(`crds/${file} is not current: run bin/node scripts/crds.ts`);
    process.exitCode = stale.length > 0 ? 1 : 0;
    return;
  }
  for (const [file, text] of generateCrds()) await writeFile(join(directory, file), text);
}

if (import.meta.main) await main();
