// What an Ingress's annotations say of access, read strictly; and those under our prefix, or another controller's, that are none.
import {
  accessNames,
  annotationPath,
  annotationPrefix,
  annotations,
  deniesMisread,
  reservedAnnotations,
} from './annotation-table.ts';
import type { Annotation } from './annotation-table.ts';
import { createAnnotationReader } from './annotation-values.ts';
import type { AnnotationReader } from './annotation-values.ts';
import { foreign } from './foreign-annotations.ts';
import { complain, shown } from './parse.ts';
import { nearest } from '../policy/spelling.ts';
import type { Diagnostic, DiagnosticCode } from '../model/diagnostic.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Criterion } from '../model/criteria.ts';
import type { Policy } from '../model/policy.ts';
import { describeReference } from '../model/diagnostic.ts';
import { referenceTo } from '../model/objects.ts';

/** What an Ingress's annotations say of access. */
export interface AccessAnnotations {
  /** What `access` and `allow-*` amount to: they count as one policy. */
  readonly policy?: Policy;
  readonly policyNames: readonly string[];
  /** Whether anybody may enter without signing in, as far as these annotations go. */
  readonly isPublic: boolean;
  /** Why the Ingress's routes deny whatever else is said: an annotation about access cannot be understood. */
  readonly denied?: string;
  readonly diagnostics: readonly Diagnostic[];
}

const itemSchemas: Record<
  'allow-emails' | 'allow-domains' | 'allow-groups' | 'policy',
  { pattern: RegExp; wanted: string }
> = {
  'allow-emails': { pattern: /^[^\s@,]+@[^\s@,]+$/, wanted: 'an e-mail address such as ana@example.com' },
  'allow-domains': { pattern: /^[^\s@,]+\.[^\s@,]+$/, wanted: 'a domain such as example.com' },
  'allow-groups': { pattern: /^[\x20-\x7e\u0080-\uffff]{1,1024}$/, wanted: 'a group name' },
  policy: {
    pattern: /^(?=.{1,253}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
    wanted: 'the name of a Policy in this namespace',
  },
};

const known = new WeakMap<KubernetesObject, AccessAnnotations>();

/** Reads an Ingress's annotations about access. Whatever cannot be understood and bears on access makes `denied`. */
export function readAnnotations(ingress: KubernetesObject): AccessAnnotations {
  const before = known.get(ingress);
  if (before !== undefined) return before;
  const read = createAnnotationReader(ingress);
  const strangers = readStrangers(ingress, read);
  const access = readAccess(read);
  const criteria: Criterion[] = [
    ...readList(read, 'allow-emails').map((email): Criterion => ({ email: { is: lowerCaseDomain(email) } })),
    ...readList(read, 'allow-domains').map((domain): Criterion => ({ domain: { is: domain.toLowerCase() } })),
    ...readList(read, 'allow-groups').map((has): Criterion => ({ groups: { has } })),
  ];
  if (access !== undefined && criteria.length > 0) {
    read.refuse('access', `it says ${access}, and an allow-* annotation says something narrower: keep one of the two`);
  }
  if (access === 'public') criteria.push({ accept: true });
  if (access === 'authenticated') criteria.push({ authenticatedUser: true });
  const policyNames = readList(read, 'policy');
  const { diagnostics, denied } = read.findings();
  const result: AccessAnnotations = {
    policyNames,
    isPublic: access === 'public',
    diagnostics: [...strangers, ...diagnostics],
    ...(criteria.length > 0 && {
      policy: {
        name: `annotations of ${describeReference(referenceTo(ingress))}`,
        mode: 'Enforce',
        rules: [{ allow: { or: criteria } }],
      },
    }),
    ...(denied !== undefined && { denied }),
  };
  known.set(ingress, result);
  return result;
}

function isAnnotation(name: string): boolean {
  return name.startsWith(annotationPrefix) && Object.hasOwn(annotations, name.slice(annotationPrefix.length));
}

/** As an Identity's address is: what follows the @ has no letter case, what precedes it may. */
function lowerCaseDomain(email: string): string {
  const at = email.lastIndexOf('@');
  return email.slice(0, at) + email.slice(at).toLowerCase();
}

function readAccess(read: AnnotationReader): 'public' | 'authenticated' | undefined {
  const given = read.text('access', 'public or authenticated');
  if (given === undefined || given === 'public' || given === 'authenticated') return given;
  return read.refuse('access', `${shown(given)} is not an access: public or authenticated is wanted`);
}

function readList(read: AnnotationReader, name: keyof typeof itemSchemas): readonly string[] {
  const given = read.text(name, 'a list separated by commas');
  if (given === undefined) return [];
  const { pattern, wanted } = itemSchemas[name];
  const items = given.split(',').map((item) => item.trim());
  const wrong = items.find((item) => !pattern.test(item));
  if (wrong === undefined) return items;
  read.refuse(name, `${shown(wrong)} is not ${wanted}`);
  return [];
}

/** What is said under names that are no annotations, or none yet. */
function readStrangers(ingress: KubernetesObject, read: AnnotationReader): readonly Diagnostic[] {
  return Object.keys(ingress.metadata.annotations ?? {}).flatMap((name): readonly Diagnostic[] => {
    // The API server lets annotations differ by letter case, and ours are written in one.
    if (name.toLowerCase().startsWith(annotationPrefix))
      return isAnnotation(name) ? [] : [unknown(ingress, read, name)];
    const theirs = foreign(name);
    if (theirs === undefined) return [];
    const ours = theirs.here?.ours?.map((one) => annotationPrefix + one).join(', ');
    const note = theirs.here?.note?.replaceAll('`', '');
    const instead = ours === undefined ? note : `here it is ${ours}${note === undefined ? '' : ` (${note})`}`;
    const message = `an annotation of ${theirs.controller} has no effect${instead === undefined ? '' : `: ${instead}`}`;
    return [complain(ingress, 'AnnotationForeign', annotationPath(name), message, 'warning')];
  });
}

// What is nearly an annotation that denies where it is misread was meant to narrow something: deny. Any other unknown name weakens
// nothing, may be a newer version's, and is only reported.
function unknown(ingress: KubernetesObject, read: AnnotationReader, name: string): Diagnostic {
  const say = (code: DiagnosticCode, message: string, severity: 'error' | 'warning') =>
    complain(ingress, code, annotationPath(name), message, severity);
  const word = name.slice(annotationPrefix.length).toLowerCase().replaceAll('_', '-');
  if (Object.hasOwn(reservedAnnotations, word)) {
    return say(
      'AnnotationNotYet',
      `${annotationPrefix}${word} has no effect yet: this version does not do it`,
      'warning',
    );
  }
  const near = meantBy(word);
  const meant = near === undefined ? 'it has no effect' : `did you mean ${annotationPrefix}${near}?`;
  if (near === undefined || !deniesMisread(near)) {
    return say('AnnotationUnknown', `there is no annotation ${name}; ${meant}`, 'warning');
  }
  read.deny(`annotation ${name} looks like a misspelt ${annotationPrefix}${near}`);
  const message = `there is no annotation ${name}; ${meant} Until it is mended this Ingress denies everybody`;
  return say('AnnotationUnknown', message, 'error');
}

/** The annotation that a word was probably meant to be: two letters away, or begun alike (`policies`, `allowed-users`). */
function meantBy(word: string): Annotation | undefined {
  const names = Object.keys(annotations) as Annotation[];
  const near = nearest(word, names);
  return names.find((name) => name === near) ?? accessNames.find((name) => word.startsWith(name.slice(0, 5)));
}
