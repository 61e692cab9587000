// The policy language: rules and criteria as people write them (one zod source for the CRD, the parser and the types), Facts, Verdict.
import { z } from 'zod';
import type { Identity } from './identity.ts';

/**
 * An object with exactly one of the given fields. It is closed: the API server would prune a misspelt field before it
 * validates, so that one of two would vanish beside the other. Kept, it counts: `maxProperties: 1` refuses two of which one
 * is misspelt, and the rule refuses one that is.
 */
function exactlyOne<Shape extends z.ZodRawShape>(shape: Shape, description: string) {
  const names = Object.keys(shape);
  const message = `exactly one of ${names.join(', ')} is needed`;
  return z
    .strictObject(shape)
    .partial()
    .refine((value) => Object.keys(value).length === 1, { error: message })
    .meta({
      description,
      closed: true,
      minProperties: 1,
      maxProperties: 1,
      'x-kubernetes-validations': [{ rule: names.map(isThere).join(' || '), message }],
    });
}

/** In CEL. `in` is an operator there, and Kubernetes spells a field of that name otherwise. */
function isThere(name: string): string {
  return `has(self.${name === 'in' ? '__in__' : name})`;
}

const text = (description: string) => z.string().min(1).max(1024).meta({ description });
const texts = (description: string) => z.array(z.string().min(1).max(1024)).min(1).max(256).meta({ description });
/** RE2 tells an IPv4 address exactly, an IPv6 one roughly; policy/check reads it to the end. */
const range = z
  .string()
  .min(1)
  .max(64)
  .regex(
    /^(((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\/(3[0-2]|[12]?[0-9]))?|[0-9a-fA-F.]*:[0-9a-fA-F:.]*(\/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)$/,
    { error: 'an address or a CIDR is wanted, such as 192.0.2.7 or 10.0.0.0/8' },
  );
const yes = (description: string) => z.literal(true).meta({ description });

const stringOperators = {
  is: text('Equal to this, letter for letter.'),
  not: text('Different from this.'),
  in: texts('Equal to one of these.'),
  notIn: texts('Equal to none of these.'),
  startsWith: text('Begins with this.'),
  endsWith: text('Ends with this.'),
  contains: text('Holds this anywhere.'),
};

const listOperators = {
  has: text('The list holds this.'),
  is: text('The list holds this and nothing else.'),
  exclude: text('The list does not hold this.'),
};

const stringMatcher = (of: string) => exactlyOne(stringOperators, `How ${of} must look. Letter case counts.`);

export type StringMatcher = Readonly<z.infer<ReturnType<typeof exactlyOne<typeof stringOperators>>>>;
export type ListMatcher = Readonly<z.infer<ReturnType<typeof exactlyOne<typeof listOperators>>>>;

const claim = z
  .strictObject({
    path: z.array(z.string().min(1).max(256)).min(1).max(5).meta({
      description:
        'Where the claim stands: its name, and below it the names inside, for instance [realm_access, roles].',
    }),
    has: listOperators.has.optional(),
    is: listOperators.is.optional(),
    exclude: listOperators.exclude.optional(),
  })
  .refine((value) => Object.keys(value).length === 2, { error: 'path and exactly one of has, is, exclude are needed' })
  .meta({
    description: 'A claim of the session; a single value counts as a list of one.',
    closed: true,
    'x-kubernetes-validations': [
      {
        rule: '[has(self.has), has(self.is), has(self.exclude)].exists_one(one, one)',
        message: 'path and exactly one of has, is, exclude are needed',
      },
    ],
  });

/** The vocabulary. Names, operators and results are the Pomerium Policy Language's, spelt in camelCase. */
const criteria = {
  accept: yes('Always true.'),
  reject: yes('Always false.'),
  authenticatedUser: yes('True for anybody signed in.'),
  user: stringMatcher("the provider's name for the person"),
  email: stringMatcher('the e-mail address'),
  domain: stringMatcher('the part of the e-mail address after the @'),
  groups: exactlyOne(listOperators, 'Which groups the person must be in.'),
  claim,
  httpMethod: stringMatcher('the request method'),
  httpPath: stringMatcher('the canonical request path'),
  sourceIp: exactlyOne(
    {
      is: range.meta({ description: 'An address or a CIDR, such as 10.0.0.0/8.' }),
      in: z.array(range).min(1).max(256).meta({ description: 'Addresses or CIDRs; one of them must hold the client.' }),
    },
    "The client's address, after trusted proxies.",
  ),
};

export const criterion = exactlyOne(criteria, 'One condition: exactly one criterion.');
export type Criterion = Readonly<z.infer<typeof criterion>>;
export type CriterionName = keyof typeof criteria;
export const criterionNames = Object.keys(criteria) as readonly CriterionName[];

const criterionList = (description: string) => z.array(criterion).min(1).max(64).optional().meta({ description });

const operators = z
  .strictObject({
    and: criterionList('True when all of these are.'),
    or: criterionList('True when one of these is.'),
    not: criterionList('True when none of these is (not A, and not B).'),
    nor: criterionList('True when one of these is not (not A, or not B). Named so for Pomerium compatibility.'),
  })
  .refine((value) => Object.keys(value).length > 0, { error: 'at least one of and, or, not, nor is needed' })
  .meta({
    description: 'Criteria by operator; several operators in one rule are joined by "or".',
    closed: true,
    'x-kubernetes-validations': [
      {
        rule: 'has(self.and) || has(self.or) || has(self.not) || has(self.nor)',
        message: 'at least one of and, or, not, nor is needed',
      },
    ],
  });
export type Operators = Readonly<z.infer<typeof operators>>;

export const rule = z
  .strictObject({
    name: z.string().min(1).max(128).optional().meta({ description: 'For explanations and logs.' }),
    allow: operators.optional().meta({ description: 'Lets the request through, unless something denies it.' }),
    deny: operators.optional().meta({ description: 'Refuses the request, whatever else allows it.' }),
  })
  .refine((value) => value.allow !== undefined || value.deny !== undefined, { error: 'allow or deny is needed' })
  .meta({
    description: 'One rule: an allow, a deny, or both.',
    closed: true,
    'x-kubernetes-validations': [{ rule: 'has(self.allow) || has(self.deny)', message: 'allow or deny is needed' }],
  });
export type Rule = Readonly<z.infer<typeof rule>>;

export const policyTest = z
  .strictObject({
    as: z
      .strictObject({
        user: z.string().max(1024).optional(),
        email: z.string().max(1024).optional(),
        groups: z.array(z.string().max(1024)).max(256).optional(),
        claims: z.record(z.string(), z.unknown()).optional(),
      })
      .nullable()
      .optional()
      .meta({ description: 'Who asks; null: nobody is signed in.' }),
    request: z
      .strictObject({
        path: z.string().max(4096).optional(),
        method: z.string().max(64).optional(),
        ip: z.string().max(64).optional(),
        headers: z.record(z.string(), z.string()).optional(),
        query: z.record(z.string(), z.string()).optional(),
      })
      .optional()
      .meta({ description: 'What is asked; by default GET / from 192.0.2.1.' }),
    at: z.string().max(64).optional().meta({ description: 'When, RFC 3339.' }),
    expect: z.enum(['Allow', 'Deny', 'Login']).meta({ description: 'What the policy alone must answer.' }),
  })
  .meta({ description: 'A request and the verdict this policy alone must give it.' });
export type PolicyTest = Readonly<z.infer<typeof policyTest>>;

export type PolicyMode = 'Enforce' | 'Audit';

/** A policy as the proxy receives it: plain data, compiled once into closures by policy/evaluate. */
export interface Policy {
  /** `Policy monitoring/engineers`, `ClusterPolicy staff-only`, or `annotations of Ingress monitoring/grafana`. */
  readonly name: string;
  readonly mode: PolicyMode;
  readonly rules: readonly Rule[];
  /** Why it cannot be judged. A broken policy denies. */
  readonly broken?: string;
}

/**
 * How a policy came to govern a route. `Own`: the Ingress brought it. `Default`: a ClusterPolicy for Ingresses that bring
 * none. `Mandatory`: a ClusterPolicy that can refuse and never grant.
 */
export type Attachment = 'Own' | 'Default' | 'Mandatory';

export interface AttachedPolicy {
  readonly policy: Policy;
  readonly attachment: Attachment;
}

/** What `defaultAccess` of the class grants where no policy does. */
export type DefaultAccess = 'Deny' | 'Authenticated';

/** All that decides who may use a route. */
export interface Access {
  readonly policies: readonly AttachedPolicy[];
  readonly defaultAccess: DefaultAccess;
}

/** What a decision is made from. `path` is canonical; `ip` is the client's, after trusted proxies. */
export interface Facts {
  /** Absent: nobody is signed in (for this route's provider). */
  readonly identity?: Identity;
  readonly method: string;
  readonly path: string;
  readonly ip: string;
}

/** Why a criterion was true or false, in the Pomerium Policy Language's words. */
export type Reason =
  | 'accept'
  | 'reject'
  | 'user-unauthenticated'
  | 'user-ok'
  | 'user-unauthorized'
  | 'email-ok'
  | 'email-unauthorized'
  | 'domain-ok'
  | 'domain-unauthorized'
  | 'groups-ok'
  | 'groups-unauthorized'
  | 'claim-ok'
  | 'claim-unauthorized'
  | 'http-method-ok'
  | 'http-method-unauthorized'
  | 'http-path-ok'
  | 'http-path-unauthorized'
  | 'source-ip-ok'
  | 'source-ip-unauthorized';

/** A result with the reasons that led to it: of the true operands where it is true, of the false ones where it is false. */
export interface Outcome {
  readonly result: boolean;
  readonly reasons: readonly Reason[];
}

export interface PolicyVerdict {
  readonly policy: string;
  readonly mode: PolicyMode;
  readonly attachment: Attachment;
  /** Absent: the policy has no such rules, or is broken. */
  readonly allow?: Outcome;
  readonly deny?: Outcome;
  readonly broken?: string;
}

export type Decision = 'Allow' | 'Deny' | 'Login';

export interface Verdict {
  readonly decision: Decision;
  readonly policies: readonly PolicyVerdict[];
}
