// From annotations to what an application gets instead of what was asked: another path, another Host; or a redirect instead of it.
import type { AnnotationReader } from './annotation-values.ts';
import { isHostName } from './host-name.ts';
import { canonicalPath } from './path.ts';
import { shown } from './parse.ts';
import type { Redirect, Rewrite } from '../model/route.ts';
import { compileRewrite } from '../policy/rewrite.ts';

const pathWanted = 'a path as requests have it, beginning with /';

export function readRewrite(read: AnnotationReader): Rewrite | undefined {
  const path = readPathRewrite(read);
  const host = read.parsed('upstream-host', 'a host name, with a port where it has one, or upstream', readUpstreamHost);
  if (path === undefined && host === undefined) return undefined;
  return { ...(path && { path }), ...(host && { host }) };
}

function readPathRewrite(read: AnnotationReader): Rewrite['path'] {
  const prefix = read.parsed('rewrite-path', pathWanted, readPrefix);
  const pattern = read.text('rewrite-path-regex', 'a regular expression')?.trim();
  const substitution = read.text('rewrite-path-substitution', 'a path')?.trim();
  if (pattern === undefined || substitution === undefined) {
    if (pattern !== undefined) read.refuse('rewrite-path-regex', 'it needs rewrite-path-substitution beside it');
    if (substitution !== undefined) read.refuse('rewrite-path-substitution', 'it needs rewrite-path-regex beside it');
    return prefix === undefined ? undefined : { kind: 'Prefix', prefix };
  }
  if (read.has('rewrite-path')) {
    return read.refuse('rewrite-path', 'rewrite-path-regex says otherwise: keep one of the two');
  }
  const compiled = compileRewrite(pattern, substitution);
  if (!('mistake' in compiled)) return { kind: 'Pattern', pattern, substitution };
  const { of, mistake } = compiled;
  return of === 'Pattern'
    ? read.refuse('rewrite-path-regex', `${shown(pattern)} is not a pattern: ${mistake}`)
    : read.refuse('rewrite-path-substitution', `${shown(substitution)} is not a substitution: ${mistake}`);
}

/** As a route's own path is: without a slash at its end, save / itself. */
function readPrefix(text: string): string | undefined {
  const path = canonicalPath(text);
  return path === '/' ? path : path?.replace(/\/$/, '');
}

function readUpstreamHost(text: string): Rewrite['host'] | undefined {
  if (text === 'upstream') return { kind: 'Upstream' };
  const [, name = '', port] = /^([^:]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (!isHostName(name) || (port !== undefined && !isPort(Number(port)))) return undefined;
  return { kind: 'Literal', host: text };
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535;
}

const statuses = [301, 302, 303, 307, 308] as const;

export function readRedirect(read: AnnotationReader): Redirect | undefined {
  const target = read.parsed('redirect', 'an http or https URL without a user, or a path', readTarget);
  const status = read.parsed('redirect-status', 'one of 301, 302, 303, 307 and 308', (text) =>
    statuses.find((one) => String(one) === text),
  );
  return target && { status: status ?? 302, ...target };
}

type Target = Omit<Redirect, 'status'>;

const targetPattern = /^(?:(https?):\/\/([^/?#:@]+)(?::(\d{1,5}))?)?(\/[^?#]*)?(\?[^#]*)?(#.*)?$/;

function readTarget(text: string): Target | undefined {
  const [, scheme, host, port, path, query = '', fragment = ''] = targetPattern.exec(text) ?? [];
  // Letter for letter what goes into the Location header: nothing that a URL cannot hold (RFC 3986 §2).
  if (text.length > 2048 || !/^[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+$/.test(text)) return undefined;
  if (host === undefined && path === undefined) return undefined;
  if (host !== undefined && !isHostName(host)) return undefined;
  if (port !== undefined && !isPort(Number(port))) return undefined;
  const to = readTargetPath(path, query + fragment);
  if (to === undefined) return undefined;
  return {
    ...((scheme === 'http' || scheme === 'https') && { scheme }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port: Number(port) }),
    ...to,
  };
}

function readTargetPath(path: string | undefined, rest: string): Pick<Target, 'path'> | undefined {
  // Without a path, the path and the query asked for stay: a query of the target's own would be lost.
  if (path === undefined) return rest === '' ? {} : undefined;
  if (path.endsWith('/*')) {
    const prefix = readPrefix(path.slice(0, -1));
    return prefix === undefined || rest !== '' ? undefined : { path: { kind: 'Prefix', path: prefix } };
  }
  const full = canonicalPath(path);
  return full === undefined ? undefined : { path: { kind: 'Full', path: full + rest } };
}
