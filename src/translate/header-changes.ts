// From annotations, and the Secrets that they name, to the headers that a route sets, adds and removes.
import { annotationPrefix } from './annotation-table.ts';
import type { Annotation } from './annotation-table.ts';
import type { AnnotationReader } from './annotation-values.ts';
import { secretValue } from './content.ts';
import { shown } from './parse.ts';
import type { World } from './world.ts';
import { Redacted } from '../model/diagnostic.ts';
import { foldName, isChangeableInRequest, isChangeableInResponse } from '../model/header-names.ts';
import { secretContent } from '../model/objects.ts';
import type { HeaderChanges, HeaderLine } from '../model/route.ts';

/** A Secret as `world.secret` gives it. */
export type LookedUp = ReturnType<World['secret']> | undefined;

type Direction = 'request' | 'response';

export interface HeaderRules {
  readonly direction: Direction;
  /** Why a header may not be set or added; undefined: it may. */
  readonly fault: (name: string) => string | undefined;
  /** Likewise, be removed. */
  readonly removalFault: (name: string) => string | undefined;
}

const framed = 'it is about the connection or the length of a message, which every hop sees to itself';

/** @param claims The class's own header names, folded. */
export function requestRules(claims: ReadonlySet<string>): HeaderRules {
  const removalFault = (name: string) => {
    if (foldName(name) === 'host') return 'upstream-host is for that';
    if (isChangeableInRequest(name, claims)) return undefined;
    return isChangeableInResponse(name) ? 'an application hears of it from Sallyport alone' : framed;
  };
  const fault = (name: string) =>
    foldName(name) === 'cookie' ? 'cookies are the client’s: they can be removed, not set' : removalFault(name);
  return { direction: 'request', fault, removalFault };
}

/** @param hasCors Whether CORS is ours. */
export function responseRules(hasCors: boolean): HeaderRules {
  const removalFault = (name: string) => {
    if (!isChangeableInResponse(name)) return framed;
    return hasCors && /^access-control-/i.test(name) ? 'the cors-* annotations are for that' : undefined;
  };
  const fault = (name: string) => {
    const folded = foldName(name);
    if (folded === 'set-cookie') return 'cookies are the application’s: they can be removed, not set';
    // It must not be said over plain http (RFC 6797 §7.2).
    if (folded === 'strict-transport-security') return 'the hsts-* annotations are for that';
    return removalFault(name);
  };
  return { direction: 'response', fault, removalFault };
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
// RFC 9110 §5.5: visible ASCII, with spaces and tabs between. What is beyond ASCII is read differently everywhere.
const fieldValue = /^[\x21-\x7e](?:[\x20-\x7e\t]{0,4094}[\x21-\x7e])?$/;
const lineLimit = 64;

/** Whether some text can be a header's value; no line end can (CVE-2023-27493). */
function isValue(text: string): boolean {
  return fieldValue.test(text);
}

export function readHeaderChanges(
  read: AnnotationReader,
  rules: HeaderRules,
  secret: LookedUp,
): HeaderChanges | undefined {
  const named = (what: 'set' | 'add' | 'remove') => `${what}-${rules.direction}-headers` as const;
  const set = readLines(read, named('set'), rules);
  const add = readLines(read, named('add'), rules);
  const remove = readNames(read, named('remove'), rules);
  const secretName = `set-${rules.direction}-headers-secret` as const;
  const fromSecret = readSecretLines(read, secretName, rules, secret);
  const plain = new Set(set.map(([name]) => foldName(name)));
  for (const [name] of fromSecret) {
    if (plain.has(foldName(name))) read.refuse(secretName, `${named('set')} sets ${name}, too: keep one of the two`);
  }
  const all = [...set, ...fromSecret];
  const written = new Set([...all, ...add].map(([name]) => foldName(name)));
  const both = remove.find((name) => written.has(foldName(name)));
  if (both !== undefined) read.refuse(named('remove'), `${both} is set or added as well: keep one of the two`);
  return all.length + add.length + remove.length === 0 ? undefined : { set: all, add, remove };
}

function readLines(read: AnnotationReader, name: Annotation, rules: HeaderRules): readonly HeaderLine[] {
  const text = read.text(name, 'one "Name: value" a line');
  if (text === undefined) return [];
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0 || lines.length > lineLimit) {
    read.refuse(name, `from one to ${lineLimit} lines are wanted, each "Name: value"`);
    return [];
  }
  const found: HeaderLine[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    const [header, value] = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    const wrong =
      colon === -1 || !token.test(header) || !isValue(value)
        ? `${shown(line)} is not a "Name: value" of printable ASCII`
        : faultOf(header, rules.fault);
    if (wrong !== undefined) read.refuse(name, wrong);
    else found.push([header, value]);
  }
  const names = found.map(([header]) => foldName(header));
  const twice = found.find(([header], at) => names.indexOf(foldName(header)) !== at);
  if (twice !== undefined && name.startsWith('set-')) {
    read.refuse(name, `${twice[0]} is set twice: the add-… annotation is for several values`);
  }
  return found;
}

function faultOf(header: string, fault: (name: string) => string | undefined): string | undefined {
  const why = fault(header);
  return why === undefined ? undefined : `${header} cannot be changed: ${why}`;
}

function readNames(read: AnnotationReader, name: Annotation, { removalFault }: HeaderRules): readonly string[] {
  const text = read.text(name, 'header names, separated by commas,');
  if (text === undefined) return [];
  const names = text.split(',').map((one) => one.trim());
  const wrong = names.find((one) => !token.test(one));
  if (wrong !== undefined) {
    read.refuse(name, `${shown(wrong)} is not a header name`);
    return [];
  }
  for (const one of names) {
    const fault = faultOf(one, removalFault);
    if (fault !== undefined) read.refuse(name, fault);
  }
  return names.map((one) => one.toLowerCase());
}

function readSecretLines(
  read: AnnotationReader,
  name: Annotation,
  { fault }: HeaderRules,
  secret: LookedUp,
): readonly HeaderLine[] {
  const given = read.text(name, 'the name of a Secret');
  if (given === undefined || secret === undefined) return [];
  if (secret === 'pending') {
    read.deny(`Secret ${given} of annotation ${annotationPrefix}${name} has not been read yet`);
    return [];
  }
  if (secret === 'missing') {
    read.refuse(name, `there is no Secret ${shown(given)} in this namespace`, 'SecretNotFound');
    return [];
  }
  // Whoever may write an Ingress may not thereby have a ServiceAccount's token or a TLS key sent to an application.
  const type: unknown = 'type' in secret ? secret.type : undefined;
  if (type !== undefined && type !== 'Opaque') {
    read.refuse(name, `Secret ${given} is of type ${shown(type)}: one of type Opaque is wanted`, 'SecretInvalid');
    return [];
  }
  const content = secretContent.safeParse(secret).data;
  const keys = new Set([...Object.keys(content?.data ?? {}), ...Object.keys(content?.stringData ?? {})]);
  if (keys.size === 0 || keys.size > lineLimit) {
    read.refuse(
      name,
      `Secret ${given} has ${keys.size} keys: from one to ${lineLimit} are wanted, each a header`,
      'SecretInvalid',
    );
    return [];
  }
  return [...keys].toSorted().flatMap((key): readonly HeaderLine[] => {
    // A file or an editor has ended it with a line end.
    const value = (secretValue(secret, key)?.toString('latin1') ?? '').replace(/\r?\n$/, '');
    const wrong = token.test(key) ? faultOf(key, fault) : `${shown(key)} is not a header name`;
    const unusable = wrong ?? (isValue(value) ? undefined : `what is under ${key} is not printable ASCII on one line`);
    if (unusable === undefined) return [[key, new Redacted(value)]];
    read.refuse(name, `in Secret ${given}: ${unusable}`, 'SecretInvalid');
    return [];
  });
}
