// From the cors-* annotations of an Ingress to which pages of other origins may call its routes.
import { annotationPath, annotationPrefix, annotations } from './annotation-table.ts';
import type { Annotation } from './annotation-table.ts';
import { complain, metadataEntry, shown } from './parse.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Cors } from '../model/route.ts';

export interface ReadCors {
  /** Absent: nothing is said of CORS, or it cannot be understood. Then no page of another origin is helped. */
  readonly cors?: Cors;
  readonly diagnostics: readonly Diagnostic[];
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
const defaultMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

const known = new WeakMap<KubernetesObject, ReadCors>();

export function readCors(ingress: KubernetesObject): ReadCors {
  const before = known.get(ingress);
  if (before !== undefined) return before;
  const result = parseCors(ingress);
  known.set(ingress, result);
  return result;
}

function parseCors(ingress: KubernetesObject): ReadCors {
  const diagnostics: Diagnostic[] = [];
  const refuse = (name: Annotation, message: string) => {
    const consequence = annotations[name].misread;
    diagnostics.push(
      complain(ingress, 'AnnotationInvalid', annotationPath(name), `${message}; until it is mended ${consequence}`),
    );
  };
  const value = (name: Annotation) => metadataEntry(ingress, 'annotations', annotationPrefix + name);
  const list = (name: Annotation, isItem: (item: string) => boolean, wanted: string): readonly string[] | undefined => {
    const given = value(name);
    if (given === undefined) return undefined;
    const items = typeof given === 'string' ? given.split(',').map((item) => item.trim()) : [];
    const wrong = items.find((item) => !isItem(item));
    if (typeof given !== 'string' || wrong !== undefined) refuse(name, `${shown(wrong ?? given)} is not ${wanted}`);
    return items;
  };

  const origins = list('cors-allow-origin', isOrigin, 'an origin such as https://app.example.com, nor * alone');
  const methods = list('cors-allow-methods', (item) => token.test(item), 'a method such as GET');
  const headers = list('cors-allow-headers', (item) => token.test(item), 'a header name');
  const exposed = list('cors-expose-headers', (item) => token.test(item), 'a header name');
  const credentials = value('cors-allow-credentials') ?? 'false';
  if (credentials !== 'true' && credentials !== 'false')
    refuse('cors-allow-credentials', `${shown(credentials)} is not "true" or "false"`);
  const maxAge = value('cors-max-age') ?? '600';
  if (typeof maxAge !== 'string' || !/^\d{1,6}$/.test(maxAge))
    refuse('cors-max-age', `${shown(maxAge)} is not a number of seconds, in quotes`);
  // Any page on the web would act in the name of whoever visits it.
  if (credentials === 'true' && origins?.includes('*') === true)
    refuse('cors-allow-credentials', 'credentials need origins by name, not *');
  if (origins === undefined || diagnostics.length > 0) return { diagnostics };
  return {
    diagnostics,
    cors: {
      origins,
      methods: methods ?? defaultMethods,
      ...(headers && { headers }),
      exposed: exposed ?? [],
      credentials: credentials === 'true',
      maxAgeSeconds: Number(maxAge),
    },
  };
}

function isOrigin(text: string): boolean {
  return text === '*' || (/^https?:\/\//.test(text) && URL.parse(text)?.origin === text);
}
