// What an expression can ask about: the variables, their fields, and which fact each is.
import type { Type } from './types.ts';
import { Instant } from './values.ts';
import type { Value } from './values.ts';

/** Of what facts an expression is made. `identity` is who it is, `session` how they signed in. */
export type CelFact =
  | 'identity'
  | 'session'
  | 'headers'
  | 'query'
  | 'ip'
  | 'path'
  | 'method'
  | 'host'
  | 'time'
  | 'data';

/** A property is only read if the expression names it, so that a getter costs nothing until then. Times in milliseconds since the epoch. */
export interface CelBindings {
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly host: string;
    readonly ip: string;
    /** By lower-case name; several values of one name are joined by ", ". */
    readonly headers: ReadonlyMap<string, string>;
    /** All values of a name, in order: whoever saw only the first would judge another request than the application answers. */
    readonly query: ReadonlyMap<string, readonly string[]>;
  };
  readonly user?: {
    readonly user: string;
    readonly email?: string;
    readonly name?: string;
    readonly groups: readonly string[];
    /** There are others, and nobody can tell which. */
    readonly groupsUnknown?: true;
    /** JSON. */
    readonly claims: Readonly<Record<string, unknown>>;
  };
  readonly session?: {
    readonly authenticatedAt: number;
    readonly startedAt: number;
    readonly provider: string;
    readonly acr?: string;
    readonly amr?: readonly string[];
  };
  readonly now: number;
  /** Lists and maps by the data set's name, JSON; one that is missing or too old is left out, and makes the expression fail. */
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Field {
  readonly type: Type;
  readonly fact: CelFact;
  /** Undefined: it is not there. */
  readonly read: (bindings: CelBindings) => Value | undefined;
}

const field = (type: Type, fact: CelFact, read: Field['read']): Field => ({ type, fact, read });
const textMap = (map: Type): Type => ({ map, key: 'string' });
const texts: Type = { list: 'string' };

export function instantOf(milliseconds: number): Instant {
  return new Instant(BigInt(Math.trunc(milliseconds)) * 1_000_000n);
}

/** Closed, so that a misspelt field is a mistake and not an absent one. */
export const variables: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  request: {
    method: field('string', 'method', ({ request }) => request.method),
    path: field('string', 'path', ({ request }) => request.path),
    host: field('string', 'host', ({ request }) => request.host),
    ip: field('string', 'ip', ({ request }) => request.ip),
    headers: field(textMap('string'), 'headers', ({ request }) => request.headers),
    query: field(textMap(texts), 'query', ({ request }) => request.query),
  },
  user: {
    user: field('string', 'identity', ({ user }) => user?.user),
    email: field('string', 'identity', ({ user }) => user?.email),
    name: field('string', 'identity', ({ user }) => user?.name),
    groups: field(texts, 'identity', ({ user }) => (user?.groupsUnknown === true ? undefined : user?.groups)),
    claims: field(textMap('dyn'), 'identity', ({ user }) => user?.claims as Value | undefined),
  },
  session: {
    authenticatedAt: field('timestamp', 'session', ({ session }) => session && instantOf(session.authenticatedAt)),
    startedAt: field('timestamp', 'session', ({ session }) => session && instantOf(session.startedAt)),
    provider: field('string', 'session', ({ session }) => session?.provider),
    acr: field('string', 'session', ({ session }) => session?.acr),
    amr: field(texts, 'session', ({ session }) => session?.amr),
  },
};

export function dataSet(name: string): Field {
  return field('dyn', 'data', ({ data }) => (Object.hasOwn(data, name) ? (data[name] as Value) : undefined));
}
