// Reading the annotations of one Ingress strictly: each value is understood as a whole, or said to be wrong with its consequence.
import { annotationPath, annotationPrefix, annotations, deniesMisread } from './annotation-table.ts';
import type { Annotation } from './annotation-table.ts';
import { complain, metadataEntry, shown } from './parse.ts';
import type { Diagnostic, DiagnosticCode } from '../model/diagnostic.ts';
import { duration, parseDuration } from '../model/duration.ts';
import type { KubernetesObject } from '../model/objects.ts';

/** What a reader has to say in the end. */
export interface Findings {
  readonly diagnostics: readonly Diagnostic[];
  /** Why the Ingress's routes deny whatever else is said. */
  readonly denied?: string;
}

export type AnnotationReader = ReturnType<typeof createAnnotationReader>;

export function createAnnotationReader(ingress: KubernetesObject) {
  const diagnostics: Diagnostic[] = [];
  let denied: string | undefined;

  /** Says what is wrong with an annotation, and holds to what the table says happens then. */
  const refuse = (name: Annotation, what: string, code: DiagnosticCode = 'AnnotationInvalid'): undefined => {
    const isDenial = deniesMisread(name);
    if (isDenial) denied ??= `annotation ${annotationPrefix}${name} cannot be understood`;
    const consequence = isDenial ? 'this Ingress denies everybody' : annotations[name].misread;
    const message = `${what}; until it is mended ${consequence}`;
    diagnostics.push(complain(ingress, code, annotationPath(name), message, isDenial ? 'error' : 'warning'));
    return undefined;
  };

  const text = (name: Annotation, wanted: string): string | undefined => {
    const given = metadataEntry(ingress, 'annotations', annotationPrefix + name);
    if (given === undefined || typeof given === 'string') return given;
    return refuse(name, `${shown(given)} is not text: ${wanted} is wanted, in quotes`);
  };

  /** A text as `read` understands it; `undefined` of `read` is what it cannot. */
  const parsed = <Value>(name: Annotation, wanted: string, read: (text: string) => Value | undefined) => {
    const given = text(name, wanted);
    if (given === undefined) return undefined;
    return read(given.trim()) ?? refuse(name, `${shown(given)} is not ${wanted}`);
  };

  return {
    refuse,
    text,
    parsed,
    /** Whether anything at all is said under this name. */
    has: (name: Annotation): boolean => metadataEntry(ingress, 'annotations', annotationPrefix + name) !== undefined,
    flag: (name: Annotation) =>
      parsed(name, '"true" or "false"', (given) =>
        new Map([
          ['true', true],
          ['false', false],
        ]).get(given),
      ),
    number: (name: Annotation, wanted: string, max: number) =>
      parsed(name, wanted, (given) => (/^\d{1,10}$/.test(given) && Number(given) <= max ? Number(given) : undefined)),
    durationMs: (name: Annotation) =>
      parsed(name, 'a duration above zero and of at most 720h, such as 30s or 1h30m', (given) =>
        duration.safeParse(given).success ? parseDuration(given) : undefined,
      ),
    /** Denies for another reason than a value's: what it is made from is still to come. */
    deny: (why: string): void => {
      denied ??= why;
    },
    findings: (): Findings => ({ diagnostics, ...(denied !== undefined && { denied }) }),
  };
}
