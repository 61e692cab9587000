// The annotation vocabulary: one table of what an Ingress may say under sallyport.dev/, read strictly.
import { complain, metadataEntry, shown } from './parse.ts';
import { nearest } from '../policy/spelling.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Criterion } from '../model/criteria.ts';
import type { Policy } from '../model/policy.ts';
import { describeReference } from '../model/diagnostic.ts';
import { referenceTo } from '../model/objects.ts';

export const annotationPrefix = 'sallyport.dev/';

/** Every annotation there is, and what it is for: the reference page is made from this table. */
export const annotations = {
  access: 'Who may enter, in one word: `public` (anybody, no sign-in) or `authenticated` (anybody signed in).',
  'allow-emails': 'E-mail addresses that may enter, separated by commas.',
  'allow-domains': 'E-mail domains whose people may enter, separated by commas.',
  'allow-groups': 'Groups whose members may enter, separated by commas.',
  policy:
    'Names of Policies in the same namespace that govern this Ingress, separated by commas. All of them must allow.',
  'cors-allow-origin':
    'Origins whose pages may call this host, separated by commas, such as `https://app.example.com`; `*` is any. With it CORS is Sallyport’s: it answers preflights, and puts the headers on every answer.',
  'cors-allow-methods': 'Methods that such a page may use; by default GET, HEAD, POST, PUT, PATCH and DELETE.',
  'cors-allow-headers': 'Request headers that such a page may send; by default those that it asks for.',
  'cors-expose-headers': 'Response headers that such a page may read.',
  'cors-allow-credentials': '`true`: such a page may send cookies, so that its person is known. Not with `*`.',
  'cors-max-age': 'How long a browser may remember a preflight, in seconds; by default 600.',
} as const;
export type Annotation = keyof typeof annotations;

const accessNames = [
  'access',
  'allow-emails',
  'allow-domains',
  'allow-groups',
  'policy',
] as const satisfies Annotation[];

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

/** Reads an Ingress's annotations. Whatever cannot be understood and bears on access makes `denied`. */
export function readAnnotations(ingress: KubernetesObject): AccessAnnotations {
  const before = known.get(ingress);
  if (before !== undefined) return before;
  const read = createReader(ingress);
  // The API server lets annotations differ by letter case, and ours are written in one.
  const given = Object.keys(ingress.metadata.annotations ?? {}).filter((name) =>
    name.toLowerCase().startsWith(annotationPrefix),
  );
  for (const name of given) if (!isAnnotation(name)) read.unknown(name);

  const access = read.access();
  const criteria: Criterion[] = [
    ...read.list('allow-emails').map((email): Criterion => ({ email: { is: lowerCaseDomain(email) } })),
    ...read.list('allow-domains').map((domain): Criterion => ({ domain: { is: domain.toLowerCase() } })),
    ...read.list('allow-groups').map((has): Criterion => ({ groups: { has } })),
  ];
  if (access !== undefined && criteria.length > 0) {
    read.refuse('access', `it says ${access}, and an allow-* annotation says something narrower: keep one of the two`);
  }
  if (access === 'public') criteria.push({ accept: true });
  if (access === 'authenticated') criteria.push({ authenticatedUser: true });
  const policyNames = read.list('policy');
  const { diagnostics, denied } = read.findings();
  const result: AccessAnnotations = {
    policyNames,
    isPublic: access === 'public',
    diagnostics,
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

function createReader(ingress: KubernetesObject) {
  const diagnostics: Diagnostic[] = [];
  let denied: string | undefined;
  const value = (name: Annotation) => metadataEntry(ingress, 'annotations', annotationPrefix + name);
  const refuse = (name: Annotation, what: string) => {
    denied ??= `annotation ${annotationPrefix}${name} cannot be understood`;
    const path = `metadata.annotations[${annotationPrefix}${name}]`;
    const message = `${what}; until it is mended this Ingress denies everybody`;
    diagnostics.push(complain(ingress, 'AnnotationInvalid', path, message));
  };
  return {
    refuse,
    findings: () => ({ diagnostics, denied }),

    access(): 'public' | 'authenticated' | undefined {
      const given = value('access');
      if (given === undefined || given === 'public' || given === 'authenticated') return given;
      refuse('access', `${shown(given)} is not an access: public or authenticated is wanted`);
      return undefined;
    },

    list(name: keyof typeof itemSchemas): readonly string[] {
      const given = value(name);
      if (given === undefined) return [];
      if (typeof given !== 'string') {
        refuse(name, `${shown(given)} is not text: put it in quotes, items separated by commas`);
        return [];
      }
      const { pattern, wanted } = itemSchemas[name];
      const items = given.split(',').map((item) => item.trim());
      const wrong = items.find((item) => !pattern.test(item));
      if (wrong === undefined) return items;
      refuse(name, `${shown(wrong)} is not ${wanted}`);
      return [];
    },

    // What is nearly an annotation about access was meant to narrow it: deny. Any other unknown name weakens nothing, may be
    // a newer version's, and is only reported.
    unknown(name: string) {
      const word = name.slice(annotationPrefix.length).toLowerCase().replaceAll('_', '-');
      const near = meantBy(word);
      const isAboutAccess = accessNames.some((one) => one === near);
      if (isAboutAccess) denied ??= `annotation ${name} looks like a misspelt ${annotationPrefix}${near}`;
      const meant = near === undefined ? 'it has no effect' : `did you mean ${annotationPrefix}${near}?`;
      const consequence = isAboutAccess ? `${meant} Until it is mended this Ingress denies everybody` : meant;
      const severity = isAboutAccess ? 'error' : 'warning';
      const message = `there is no annotation ${name}; ${consequence}`;
      diagnostics.push(complain(ingress, 'AnnotationUnknown', `metadata.annotations[${name}]`, message, severity));
    },
  };
}

/** The annotation that a word was probably meant to be: two letters away, or begun alike (`policies`, `allowed-users`). */
function meantBy(word: string): Annotation | undefined {
  const names = Object.keys(annotations) as Annotation[];
  const near = nearest(word, names);
  return names.find((name) => name === near) ?? accessNames.find((name) => word.startsWith(name.slice(0, 5)));
}
