// The schemas of our kinds as tables of fields: what is met in many places is a shape with a section of its own.
import { parse } from 'yaml';
import { generateCrds } from './crds.ts';
import { anchor, code } from './markdown.ts';

/** As much of a structural schema as the pages show. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly 'x-kubernetes-validations'?: readonly { readonly message: string }[];
}

export interface Crd {
  readonly spec: {
    readonly scope: string;
    readonly names: { readonly kind: string; readonly shortNames: readonly string[] };
    readonly versions: readonly {
      readonly schema: { readonly openAPIV3Schema: Schema & { readonly properties: { readonly spec: Schema } } };
    }[];
  };
}

export interface Shape {
  readonly name: string;
  readonly about: string;
  readonly schema: Schema;
  /** Where it has its section, unless on the page itself. */
  readonly page?: string;
}

export const readCrds = (): readonly Crd[] => [...generateCrds().values()].map((text) => parse(text) as Crd);

export function specOf(crd: Crd | undefined): Schema | undefined {
  return crd?.spec.versions[0]?.schema.openAPIV3Schema.properties.spec;
}

/** Where `Policy.rules[].allow` stands in the schemas. */
export function schemaAt(crds: readonly Crd[], path: string): Schema {
  const [kind, ...names] = path.split(/\.|(?=\[\])/);
  let schema = specOf(crds.find(({ spec }) => spec.names.kind === kind));
  for (const name of names) schema = name === '[]' ? schema?.items : schema?.properties?.[name];
  if (schema === undefined) throw new Error(`there is no ${path} in the schemas`);
  return schema;
}

/** Two schemas with the same fields are one shape, whatever is said of them: the CRDs say it in the first place alone. */
const fieldsOf = ({ properties }: Schema): string =>
  JSON.stringify(properties, (key, value: unknown) =>
    key === 'description' && typeof value === 'string' ? undefined : value,
  );

const shapeOf = (schema: Schema, shapes: readonly Shape[]): Shape | undefined =>
  schema.properties && shapes.find((shape) => fieldsOf(shape.schema) === fieldsOf(schema));

/** A shape with more beside it, such as the name of a header: what is beside it. */
function besideShape(
  schema: Schema,
  shapes: readonly Shape[],
): { readonly shape: Shape; readonly beside: Schema } | undefined {
  const entries = Object.entries(schema.properties ?? {});
  for (const shape of shapes) {
    const names = Object.keys(shape.schema.properties ?? {});
    const inside = Object.fromEntries(entries.filter(([name]) => names.includes(name)));
    const outside = Object.fromEntries(entries.filter(([name]) => !names.includes(name)));
    // Of a matcher one field is chosen, so that none is required.
    const isMore = shape.schema.required === undefined && names.length > 1 && entries.length > names.length;
    if (isMore && fieldsOf({ properties: inside }) === fieldsOf(shape.schema)) {
      return { shape, beside: { ...schema, properties: outside } };
    }
  }
  return undefined;
}

const link = ({ name, page = '' }: Shape): string => `[${name}](${page}${anchor(name)})`;

export function describeType(schema: Schema, shapes: readonly Shape[]): string {
  const { type = 'any', items, additionalProperties } = schema;
  const shape = shapeOf(schema, shapes);
  if (shape !== undefined) return link(shape);
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(' or ');
  if (items !== undefined) {
    const least = schema.minItems === undefined ? '' : `${schema.minItems} to `;
    const most = schema.maxItems === undefined ? '' : ` (${least === '' ? 'at most ' : least}${schema.maxItems})`;
    return `list of ${describeType(items, shapes)}${most}`;
  }
  if (additionalProperties !== undefined) return `map of ${describeType(additionalProperties, shapes)}`;
  return schema.minimum === undefined ? type : `${type}, ${schema.minimum} to ${schema.maximum}`;
}

function describeDefault(schema: Schema, isRequired: boolean): string {
  if (isRequired) return '**required**';
  return schema.default === undefined ? '' : code(JSON.stringify(schema.default).replace(/^"(.*)"$/, '$1'));
}

export const fieldHead = ['Field', 'Type', 'Default', 'Meaning'];

export function fieldRows(parent: Schema, shapes: readonly Shape[], prefix = ''): readonly (readonly string[])[] {
  const partly = besideShape(parent, shapes);
  if (partly !== undefined) {
    const { shape, beside } = partly;
    return [
      ...fieldRows(beside, shapes, prefix),
      [code(`${prefix}…`), link(shape), '', 'And exactly one of its fields.'],
    ];
  }
  return Object.entries(parent.properties ?? {}).flatMap(([name, schema]) => {
    const path = `${prefix}${name}`;
    const isRequired = parent.required?.includes(name) === true;
    const inner = schema.items ?? schema;
    const isShape = shapeOf(inner, shapes) !== undefined;
    // A shape's own section says its rules.
    const rules = isShape ? [] : (schema['x-kubernetes-validations'] ?? []);
    const description = `${schema.description ?? ''}${rules.map(({ message }) => ` (${message})`).join('')}`.trim();
    const row = [code(path), describeType(schema, shapes), describeDefault(schema, isRequired), description];
    return isShape ? [row] : [row, ...fieldRows(inner, shapes, `${path}${schema.items ? '[]' : ''}.`)];
  });
}
