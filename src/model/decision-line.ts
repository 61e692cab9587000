// A line of the decision log: who asked for what, what was decided, and by what. The proxy writes it; `report` and `check` read it.
import { z } from 'zod';
import { stepUp } from './step-up.ts';

const verdict = z.enum(['Allow', 'Deny', 'Login']);

/** What settled a decision; absent fields: no policy did, or its rule has no name. */
const cause = {
  policy: z.string().optional(),
  rule: z.string().optional(),
  // Texts, not the closed list: a newer version's log can be read too.
  reasons: z.array(z.string()),
};

/** Scripts may rely on every field of it. Readers ignore what they do not know. */
export const decisionLine = z.object({
  /** RFC 3339. */
  time: z.iso.datetime(),
  msg: z.literal('decision'),
  /** Of the request: the `X-Request-Id` that the client was told. */
  id: z.string(),
  route: z.string(),
  /** `namespace/name`. */
  ingress: z.string(),
  host: z.string(),
  method: z.string(),
  /** Canonical, never with the query. */
  path: z.string(),
  client: z.string(),
  /** This and those up to `sessionStartedAt`: absent where nobody is signed in. */
  provider: z.string().optional(),
  /** The first letters of the session's id. */
  session: z.string().optional(),
  user: z.string().optional(),
  email: z.string().optional(),
  groups: z.array(z.string()).optional(),
  /** How many more groups there are than the line names. */
  groupsOmitted: z.number().optional(),
  /** There were others, that nobody could tell: what asks for groups counted against the request. */
  groupsUnknown: z.literal(true).optional(),
  serviceAccount: z.string().optional(),
  authenticatedAt: z.iso.datetime().optional(),
  sessionStartedAt: z.iso.datetime().optional(),
  verdict,
  stepUp: stepUp.exactOptional(),
  ...cause,
  /** Why the route refuses everybody, before any policy is asked. */
  fault: z.string().optional(),
  /** What it would be, were what is in Audit enforced. */
  trial: z.object({ verdict, ...cause }).optional(),
});
export type DecisionLine = Readonly<z.infer<typeof decisionLine>>;

/** As many groups as a line names. */
export const groupsInLine = 100;
