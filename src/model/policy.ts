// A policy: rules as people write them (one zod source for the CRD, the parser and the types), and as the proxy receives them.
import { z } from 'zod';
import { criterion } from './criteria.ts';

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

export const policyMode = z.enum(['Enforce', 'Audit']);
export type PolicyMode = z.infer<typeof policyMode>;

export const rule = z
  .strictObject({
    name: z.string().min(1).max(128).optional().meta({ description: 'For explanations and logs.' }),
    mode: policyMode.optional().meta({
      description: 'Audit: decide and log, but neither grant nor refuse by this rule. Absent: as the policy.',
    }),
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

/** A list of texts, or a map. */
export const dataSetContent = z.union([z.array(z.string().max(1024)).max(10_000), z.record(z.string(), z.unknown())]);
export type DataSetContent = Readonly<z.infer<typeof dataSetContent>>;

export const policyTest = z
  .strictObject({
    as: z
      .strictObject({
        user: z.string().max(1024).optional(),
        email: z.string().max(1024).optional(),
        groups: z.array(z.string().max(1024)).max(256).optional(),
        claims: z.record(z.string(), z.unknown()).optional(),
        serviceAccount: z.string().max(512).optional().meta({ description: 'A workload, namespace/name.' }),
        authenticatedAt: z.string().max(64).optional().meta({
          description: 'When they proved who they are, RFC 3339; by default at the time of the request.',
        }),
        sessionStartedAt: z.string().max(64).optional().meta({
          description: 'When their session began, RFC 3339; by default at the time of the request.',
        }),
      })
      .nullable()
      .optional()
      .meta({ description: 'Who asks; null: nobody is signed in.' }),
    request: z
      .strictObject({
        path: z.string().max(4096).optional(),
        method: z.string().max(64).optional(),
        host: z.string().max(253).optional(),
        ip: z.string().max(64).optional(),
        headers: z.record(z.string(), z.string()).optional(),
        query: z.record(z.string(), z.string()).optional(),
      })
      .optional()
      .meta({ description: 'What is asked; by default GET / of example.com from 192.0.2.1.' }),
    at: z.string().max(64).optional().meta({ description: 'When, RFC 3339. Needed where the policy asks for a time.' }),
    data: z.record(z.string(), z.unknown()).optional().meta({
      description: 'What the data sets hold in this test: a list or a map each. One that is not given is empty.',
    }),
    expect: z.enum(['Allow', 'Deny', 'Login']).meta({ description: 'What the policy alone must answer.' }),
  })
  .meta({ description: 'A request and the verdict this policy alone must give it.' });
export type PolicyTest = Readonly<z.infer<typeof policyTest>>;

/** What a policy may look up: the content of a ConfigMap, as it was when the table was made. */
export interface DataSet {
  /** A list or a map. Absent: it cannot be read, and whatever asks for it is an error. */
  readonly content?: DataSetContent;
  /** Milliseconds since the epoch, after which its content is too old to be believed; absent: never. */
  readonly staleAt?: number;
}

export type DataSets = Readonly<Record<string, DataSet>>;

/** A policy as the proxy receives it: plain data, compiled once into closures by policy/compile. */
export interface Policy {
  /** `Policy monitoring/engineers`, `ClusterPolicy staff-only`, or `annotations of Ingress monitoring/grafana`. */
  readonly name: string;
  readonly mode: PolicyMode;
  readonly rules: readonly Rule[];
  readonly dataSets?: DataSets;
  /** Why it cannot be judged. A broken policy denies. */
  readonly broken?: string;
  /** Whom a refused person may ask, for the page. */
  readonly contact?: string;
  /** Whether the page may say which rule refused. */
  readonly reveal?: boolean;
}

/**
 * How a policy came to govern a route. `Own`: the Ingress brought it. `Default`: a ClusterPolicy for Ingresses that bring
 * none. `Mandatory`: a ClusterPolicy that can refuse and never grant.
 */
export type Attachment = 'Own' | 'Default' | 'Mandatory';

export interface AttachedPolicy {
  readonly policy: Policy;
  readonly attachment: Attachment;
  /** Why it governs: `annotation sallyport.dev/policy`, `its targetRefs[0]`, `its namespaceSelector`. */
  readonly because?: string;
}

/** What `defaultAccess` of the class grants where no policy does. */
export type DefaultAccess = 'Deny' | 'Authenticated';

/** All that decides who may use a route. */
export interface Access {
  readonly policies: readonly AttachedPolicy[];
  readonly defaultAccess: DefaultAccess;
}
