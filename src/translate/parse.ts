// From an object's fields to a typed value, or to diagnostics that name each field at fault.
import type { z } from 'zod';
import { referenceTo } from '../model/objects.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Diagnostic, DiagnosticCode, Severity } from '../model/diagnostic.ts';
import { specDiagnostics } from '../policy/issues.ts';

/** A diagnostic about one field of an object, no longer than an Event's message may be (1,024 characters, core/v1). */
export function complain(
  object: KubernetesObject,
  code: DiagnosticCode,
  path: string,
  message: string,
  severity: Severity = 'error',
): Diagnostic {
  return { code, severity, object: referenceTo(object), path: cut(path, 512), message: cut(message, 1024) };
}

export type Parsed<T> =
  | { readonly value: T; readonly diagnostics: readonly [] }
  | { readonly value?: undefined; readonly diagnostics: readonly Diagnostic[] };

/** Holds an object's `spec` against its schema. */
export function parseSpec<T>(object: KubernetesObject, schema: z.ZodType<T>): Parsed<T> {
  const result = schema.safeParse(object.spec);
  if (result.success) return { value: result.data, diagnostics: [] };
  return { diagnostics: specDiagnostics(referenceTo(object), schema, result.error.issues) };
}

/** A value as a message quotes it: on one line, and no further than anybody reads. */
export function shown(value: unknown): string {
  return cut(JSON.stringify(value) ?? String(value), 80);
}

function cut(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}

/**
 * A label or an annotation, whatever it holds: the API server takes only text, and a file may hold anything.
 * `undefined` where there is none of that name.
 */
export function metadataEntry({ metadata }: KubernetesObject, part: 'labels' | 'annotations', name: string): unknown {
  const entries: unknown = metadata[part];
  if (typeof entries !== 'object' || entries === null || !Object.hasOwn(entries, name)) return undefined;
  return (entries as Readonly<Record<string, unknown>>)[name];
}
