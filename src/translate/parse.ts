// From an object's fields to a typed value, or to diagnostics that name each field at fault.
import type { z } from 'zod';
import { referenceTo } from '../model/objects.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Diagnostic, DiagnosticCode, Severity } from '../model/diagnostic.ts';

/** `spec.rules[0].http.paths[1].backend` */
export function fieldPath(segments: readonly PropertyKey[]): string {
  return segments.reduce<string>((path, segment) => {
    if (typeof segment === 'number') return `${path}[${segment}]`;
    return path === '' ? String(segment) : `${path}.${String(segment)}`;
  }, '');
}

/** A diagnostic about one field of an object. */
export function complain(
  object: KubernetesObject,
  code: DiagnosticCode,
  path: string,
  message: string,
  severity: Severity = 'error',
): Diagnostic {
  return { code, severity, object: referenceTo(object), path, message };
}

export type Parsed<T> =
  | { readonly value: T; readonly diagnostics: readonly [] }
  | { readonly value?: undefined; readonly diagnostics: readonly Diagnostic[] };

/** Holds a part of an object against its schema. `root` is where that part stands, for instance `spec`. */
export function parseField<T>(object: KubernetesObject, schema: z.ZodType<T>, field: unknown, root: string): Parsed<T> {
  const result = schema.safeParse(field);
  if (result.success) return { value: result.data, diagnostics: [] };
  const prefix = root === '' ? [] : [root];
  return {
    diagnostics: result.error.issues.map((issue) =>
      complain(object, 'ObjectInvalid', fieldPath([...prefix, ...issue.path]), issue.message),
    ),
  };
}
