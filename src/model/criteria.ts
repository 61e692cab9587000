// The vocabulary of the policy language: every criterion there is, with its schema. The CRD, the parser, the types and the
// reference page are made from this table; what each one does stands in policy/criteria, in a file of its name.
import { z } from 'zod';
import { duration } from './duration.ts';
import {
  clockTime,
  exactlyOne,
  listMatcher,
  moment,
  namedListMatcher,
  namedStringMatcher,
  range,
  stringMatcher,
  timezone,
} from './matchers.ts';

const yes = (description: string) => z.literal(true).meta({ description });

const claim = namedListMatcher(
  {
    path: z.array(z.string().min(1).max(256)).min(1).max(5).meta({
      description:
        'Where the claim stands: its name, and below it the names inside, for instance [realm_access, roles]. A list on the way is looked through.',
    }),
  },
  'A claim of the session; a single value counts as a list of one.',
);

const header = namedStringMatcher(
  {
    name: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,128}$/, { error: 'a header name is wanted, of letters, digits and -' })
      .max(128)
      .meta({ description: 'The name of the header, in any letter case.' }),
  },
  'A request header, as the client sent it. Of one that is sent several times the worst value counts: an allow wants all of them to match, a deny one.',
);

const query = namedStringMatcher(
  { name: z.string().min(1).max(256).meta({ description: 'The name of the parameter, decoded.' }) },
  'A parameter of the query, decoded. Of one that is given several times the worst value counts: an allow wants all of them to match, a deny one.',
);

const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;
export type Weekday = (typeof weekdays)[number];

const between = { message: 'after or before is needed', rule: 'has(self.after) || has(self.before)' };

const timeOfDay = z
  .strictObject({
    after: clockTime.optional().meta({ description: 'From this time on.' }),
    before: clockTime.optional().meta({ description: 'Until just before this time.' }),
    timezone,
  })
  .refine(({ after, before }) => after !== undefined || before !== undefined, { error: between.message })
  .meta({
    description: 'The time of day of the request. With after later than before it spans midnight.',
    closed: true,
    'x-kubernetes-validations': [between],
  });

const date = z
  .strictObject({
    after: moment.optional().meta({ description: 'From this moment on; of a day, its first.' }),
    before: moment.optional().meta({ description: 'Until just before this moment; of a day, its first.' }),
    timezone,
  })
  .refine(({ after, before }) => after !== undefined || before !== undefined, { error: between.message })
  .meta({
    description: 'The moment of the request: a day such as 2026-12-24, or a moment such as 2026-12-24T18:00:00.',
    closed: true,
    'x-kubernetes-validations': [between],
  });

const dayOfWeek = z
  .strictObject({
    in: z.array(z.enum(weekdays)).min(1).max(7).meta({ description: 'One of these days.' }),
    timezone,
  })
  .meta({ description: 'The day of the week of the request.', closed: true });

const hex = /^([0-9a-fA-F]{64}|[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){31})$/;

const clientCertificate = exactlyOne(
  {
    fingerprint: z
      .array(z.string().regex(hex, { error: 'a SHA-256 fingerprint is wanted: 64 hexadecimal digits' }).max(95))
      .min(1)
      .max(256)
      .meta({ description: 'SHA-256 fingerprints of certificates, hexadecimal; it must have one of these.' }),
    spkiHash: z
      .array(
        z
          .string()
          .regex(/^[A-Za-z0-9+/]{43}=$/, { error: 'a base64 SHA-256 hash is wanted: 44 characters' })
          .max(44),
      )
      .min(1)
      .max(256)
      .meta({
        description: 'SHA-256 hashes of public keys (SubjectPublicKeyInfo), base64; it must have one of these.',
      }),
    sanEmail: stringMatcher('an e-mail address among its subject alternative names'),
    sanDns: stringMatcher('a DNS name among its subject alternative names'),
    sanUri: stringMatcher('a URI among its subject alternative names'),
  },
  'The certificate that the client has shown. No listener asks for one yet: until then it holds for nobody.',
);

/** Names, operators and results are the Pomerium Policy Language's where it has them, spelt in camelCase. */
const criteria = {
  accept: yes('Always true.'),
  reject: yes('Always false.'),
  authenticatedUser: yes('True for anybody signed in.'),
  user: stringMatcher("the provider's name for the person"),
  email: stringMatcher('the e-mail address'),
  domain: stringMatcher('the part of the e-mail address after the @'),
  groups: listMatcher("the person's list of groups"),
  claim,
  serviceAccount: stringMatcher('the workload that asks, namespace/name,'),
  acr: stringMatcher('the authentication context class (acr) that the provider told'),
  authenticationMethod: listMatcher('the list of authentication methods (amr, RFC 8176) that the provider told'),
  authenticatedWithin: duration.meta({
    description:
      'The person proved who they are at the provider no longer ago than this. Whom it alone keeps out is asked to sign in again.',
  }),
  sessionAge: exactlyOne(
    {
      under: duration.meta({ description: 'The session began less than this ago.' }),
      over: duration.meta({ description: 'The session began this long ago, or longer.' }),
    },
    'How long ago the session began.',
  ),
  httpMethod: stringMatcher('the request method'),
  httpPath: stringMatcher('the canonical request path'),
  header,
  query,
  corsPreflight: yes('True for a CORS preflight: OPTIONS with Origin and Access-Control-Request-Method.'),
  sourceIp: exactlyOne(
    {
      is: range.meta({ description: 'An address or a CIDR, such as 10.0.0.0/8.' }),
      in: z.array(range).min(1).max(256).meta({ description: 'Addresses or CIDRs; one of them must hold the client.' }),
    },
    "The client's address, after trusted proxies.",
  ),
  timeOfDay,
  dayOfWeek,
  date,
  clientCertificate,
  invalidClientCertificate: yes(
    'True where the client has shown no certificate, or an invalid one. No listener asks for one yet: it is always true.',
  ),
  cel: z.string().min(1).max(1024).meta({
    description:
      'A CEL expression over request, user, session, now and data that must be true. Its type is checked, and its cost is bounded.',
  }),
};

/** Criteria that are not there yet. A policy that asks for one is refused with these words. */
export const reservedCriteria = {
  device: 'device is reserved: devices cannot be told apart in this version',
  mcpTool: 'mcpTool is reserved: what an MCP client calls is not read in this version',
} as const;

export const criterion = exactlyOne(criteria, 'One condition: exactly one criterion.', Object.keys(reservedCriteria));
export type Criterion = Readonly<z.infer<typeof criterion>>;
export type CriterionName = keyof typeof criteria;
export const criterionNames = Object.keys(criteria) as readonly CriterionName[];

/** What a criterion is for, in the words of the CRD. */
export function aboutCriterion(name: CriterionName): string {
  return criteria[name].meta()?.description ?? '';
}
