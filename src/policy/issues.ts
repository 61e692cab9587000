// What a zod schema found wrong with a spec, as Diagnostics: where it is, what is wrong, and what would be right.
import { z } from 'zod';
import { criterion, reservedCriteria } from '../model/criteria.ts';
import type { Diagnostic, ObjectReference } from '../model/diagnostic.ts';
import { nearest } from './spelling.ts';

type Path = readonly PropertyKey[];

/** A spec may hold a megabyte of mistakes; nobody reads more than these. */
const diagnosticsMax = 32;

/** Field names, and values, are shown no further than this. */
const shownMax = 64;

/**
 * Every issue as a Diagnostic with code `ObjectInvalid`, at most 33: the last one then counts the rest. `schema` is the
 * one that was not satisfied, for the names that would have been right.
 */
export function specDiagnostics(
  object: ObjectReference,
  schema: z.ZodType,
  issues: readonly z.core.$ZodIssue[],
): readonly Diagnostic[] {
  // An object with a misspelt field also misses the right one: to say both would be to say it twice.
  const misspelt = new Set(issues.filter(({ code }) => code === 'unrecognized_keys').map(({ path }) => spell(path)));
  const telling = issues.filter(({ code, path }) => code !== 'custom' || !misspelt.has(spell(path)));
  const shown = telling
    .values()
    .flatMap((issue) => describeIssue(schema, issue))
    .take(diagnosticsMax)
    .map(({ path, message }) => invalid(object, path, message))
    .toArray();
  const total = telling.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);
  if (total === shown.length) return shown;
  return [...shown, invalid(object, ['spec'], `${total - shown.length} more mistakes are not listed`)];
}

/** `path` is the whole one, from `spec` on. */
export function invalid(object: ObjectReference, path: Path, message: string): Diagnostic {
  return { code: 'ObjectInvalid', severity: 'error', object, path: spell(path), message };
}

interface Finding {
  readonly path: Path;
  readonly message: string;
}

function describeIssue(schema: z.ZodType, issue: z.core.$ZodIssue): readonly Finding[] {
  const path: Path = ['spec', ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const at = schemaAt(schema, issue.path);
    const known = fieldsOf(at);
    const reserved: Readonly<Record<string, string>> = at === criterion ? reservedCriteria : {};
    return issue.keys.slice(0, diagnosticsMax).map((key) => ({
      path: [...path, key],
      message: Object.hasOwn(reserved, key) ? (reserved[key] ?? '') : describeUnknown(key, known),
    }));
  }
  return [{ path, message: describeOther(schemaAt(schema, issue.path), issue) }];
}

function describeUnknown(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  if (near !== undefined) return `unknown field ${shown(key)}; did you mean ${near}?`;
  return `unknown field ${shown(key)}; ${known.length === 0 ? 'no field' : known.join(', ')} would be known`;
}

function describeOther(schema: unknown, issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    const fields = fieldsOf(schema);
    const wanted = fields.length > 0 ? `an object with one or more of ${fields.join(', ')}` : article(issue.expected);
    return issue.message.endsWith('received undefined') ? `required: ${wanted}` : `${wanted} is wanted`;
  }
  if (issue.code === 'invalid_value') return `${issue.values.map(String).join(' or ')} is wanted`;
  if (issue.code === 'too_small') return `at least ${counted(issue.minimum, issue.origin)} needed`;
  if (issue.code === 'too_big') return `at most ${counted(issue.maximum, issue.origin)} allowed`;
  return issue.message;
}

function article(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** `1 item is`, `64 characters are`. */
function counted(count: number | bigint, origin: string): string {
  const unit = { array: 'item', string: 'character' }[origin] ?? 'unit';
  return Number(count) === 1 ? `1 ${unit} is` : `${count} ${unit}s are`;
}

/** The schema that stands behind a path of the value, without optional, default and the like. */
function schemaAt(schema: unknown, path: Path): unknown {
  let at = unwrapped(schema);
  for (const step of path) {
    if (at instanceof z.ZodObject) at = unwrapped(at.shape[String(step)]);
    else if (at instanceof z.ZodArray) at = unwrapped(at.element);
    else return undefined;
  }
  return at;
}

function unwrapped(schema: unknown): unknown {
  let at = schema;
  while (at instanceof z.ZodOptional || at instanceof z.ZodNullable || at instanceof z.ZodDefault) at = at.unwrap();
  return at;
}

function fieldsOf(schema: unknown): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** `spec.rules[0].allow.and[1].email`, and `["a.b"]` for a name that would read as several. */
function spell(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      const name = shown(String(step));
      if (!/^[A-Za-z_][A-Za-z0-9_-]*…?$/.test(name)) return `[${JSON.stringify(name)}]`;
      return index === 0 ? name : `.${name}`;
    })
    .join('');
}

function shown(text: string): string {
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
}
