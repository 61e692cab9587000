// From a path of an Ingress to the form in which requests are matched.
import { complain, shown } from './parse.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Route } from '../model/route.ts';

/** A path as an Ingress gives it. */
export interface IngressPath {
  readonly path?: string | undefined;
  readonly pathType: 'Exact' | 'Prefix' | 'ImplementationSpecific';
}

export interface ReadPath {
  /** Absent: no request may ever be served under it. */
  readonly path?: Pick<Route, 'match' | 'path'>;
  readonly diagnostics: readonly Diagnostic[];
}

/** `at` is where the path stands, for instance `spec.rules[0].http.paths[1]`. */
export function readPath(ingress: KubernetesObject, { path: given, pathType }: IngressPath, at: string): ReadPath {
  const say = (message: string, severity?: 'warning') =>
    complain(ingress, 'PathInvalid', `${at}.path`, message, severity);
  // ImplementationSpecific is served as Prefix. It alone may leave the path out (networking.k8s.io/v1), and then means all.
  const isLoose = pathType === 'ImplementationSpecific';
  const written = isLoose && (given ?? '') === '' ? '/' : given;
  if (written === undefined) {
    return { diagnostics: [say(`a path is needed with pathType ${pathType}: / means all of the host`)] };
  }
  const path = canonicalPath(written);
  if (path === undefined) {
    const wanted =
      'it begins with / and holds no //, no . or .. alone, no space, \\, ? or #, and no encoded slash or control character';
    return { diagnostics: [say(`${shown(written)} is not a path that a request can have: ${wanted}`)] };
  }
  if (`${path}/`.startsWith(ownPrefix)) {
    const message = `what is below ${ownPrefix} is Sallyport's own on every host, and never routed: choose another path`;
    return { diagnostics: [say(message)] };
  }
  const isExact = pathType === 'Exact';
  const read = { match: isExact ? 'Exact' : 'Prefix', path: isExact ? path : withoutSlash(path) } as const;
  if (!isLoose || !/[$^*()[\]{}|]/.test(path)) return { path: read, diagnostics: [] };
  const message = `${shown(path)} is served as a prefix, letter for letter: a regular expression is not understood`;
  return { path: read, diagnostics: [say(message, 'warning')] };
}

// As in auth/authority: the proxy answers there itself, whatever the table says (promise 14).
const ownPrefix = '/.sallyport/';

function withoutSlash(path: string): string {
  return path === '/' ? path : path.replace(/\/$/, '');
}

const pathLimit = 8192;
const unwritable = /[\p{Cc} ?#\\]|\/\/|%(?![0-9a-f]{2})/iu;
// Slashes, backslashes, control characters, and UTF-8 longer than it need be.
const refusedEscapes = /%(?:2f|5c|[01][0-9a-f]|7f|c[01]|e0%[89]|f0%8)/i;

/**
 * A path in the form in which requests are matched: what proxy/target makes of a request for it. `undefined` where no
 * request can ever have it.
 */
export function canonicalPath(path: string): string | undefined {
  if (!path.startsWith('/') || !path.isWellFormed() || path.length > pathLimit || unwritable.test(path))
    return undefined;
  // What no request holds as it is, it holds percent-encoded (RFC 3986 §2.1); all else, `[` and `|` included, it may hold
  // either way, and the two are different paths.
  const encoded = path.replaceAll(/[^\x21-\x7e]|["<>]/gu, (character) => encodeURIComponent(character));
  if (encoded.length > pathLimit || refusedEscapes.test(encoded)) return undefined;
  // RFC 3986 §6.2.2: unreserved characters stand for themselves, the hexadecimal digits of others are upper case.
  const canonical = encoded.replaceAll(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase();
  });
  return /\/\.{1,2}(?:\/|;|%3B|$)/.test(canonical) ? undefined : canonical;
}
