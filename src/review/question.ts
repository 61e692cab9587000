// What an operator may ask, as it comes over the admin port or from the command line.
import { z } from 'zod';

const text = z.string().min(1).max(1024);
const moment = z.iso.datetime({ offset: true, error: 'a moment of RFC 3339 is wanted, such as 2026-12-24T18:00:00Z' });

const person = z
  .strictObject({
    user: text.optional(),
    email: text.optional(),
    groups: z.array(text).max(10_000).default([]),
    claims: z.record(z.string(), z.unknown()).default({}),
    /** Where they signed in; by default wherever the route has people sign in. */
    provider: text.optional(),
    /** By default at the moment of the question. */
    authenticatedAt: moment.optional(),
    /** A Kubernetes workload with a token of its own, and no person. */
    serviceAccount: z
      .string()
      .regex(/^[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}$/, { error: 'a ServiceAccount is wanted, such as ci/deployer' })
      .optional(),
  })
  .refine(
    ({ serviceAccount, user, email, groups, provider }) =>
      serviceAccount === undefined ||
      (user === undefined && email === undefined && groups.length === 0 && provider === undefined),
    { error: 'a workload has no user, email, groups or provider that could be chosen: its token says it all' },
  );
export type Person = Readonly<z.infer<typeof person>>;

const hypothetical = z.strictObject({
  url: z
    .string()
    .max(20_000)
    .regex(/^https?:\/\//i, { error: 'a URL is wanted, such as https://grafana.example.com/d/1' }),
  /** Absent: nobody is signed in. */
  as: person.optional(),
  method: z
    .string()
    .regex(/^[A-Z-]{1,32}$/, { error: 'a method is wanted, in capital letters' })
    .default('GET'),
  /** Of nobody (RFC 5737). */
  from: z.union([z.ipv4(), z.ipv6()], { error: 'an address is wanted, such as 192.0.2.7' }).default('192.0.2.1'),
  headers: z
    .array(
      z.tuple([
        z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, { error: 'the name of a header is wanted' }),
        z
          .string()
          .max(8192)
          .regex(/^[\t\x20-\x7e\x80-\xff]*$/, { error: 'the value of a header is wanted' }),
      ]),
    )
    .max(100)
    .default([]),
  at: moment.optional(),
});
export type Hypothetical = Readonly<z.infer<typeof hypothetical>>;

const remembered = z.strictObject({ requestId: text });

/** Would a request pass, and why; or, of a request that happened: why did it. */
const explainQuestion = z.union([remembered, hypothetical]);

const routeName = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[^\s/:?#]+(\/[^\s?#]*)?$/, { error: 'a host is wanted, with or without a path: grafana.example.com/d' });

/** What may this person open; who may open this route; or every grant there is. */
const accessQuestion = z.union([
  z.strictObject({ person }),
  z.strictObject({ route: routeName }),
  z.strictObject({ grants: z.literal(true) }),
]);

export type ExplainQuestion = z.infer<typeof explainQuestion>;
export type AccessQuestion = z.infer<typeof accessQuestion>;

type Read<T> = { readonly ok: T } | { readonly mistake: string };

export function readExplainQuestion(value: unknown): Read<ExplainQuestion> {
  // One of the two, chosen here, so that a mistake is told of the one that was meant.
  return has(value, 'requestId') ? read(remembered, value) : read(hypothetical, value);
}

export function readAccessQuestion(value: unknown): Read<AccessQuestion> {
  const meant = accessQuestion.options.find((option) => has(value, Object.keys(option.shape)[0] ?? ''));
  return meant === undefined
    ? { mistake: 'one of person, route, grants is wanted' }
    : read<AccessQuestion>(meant, value);
}

function has(value: unknown, field: string): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, field);
}

function read<T>(schema: z.ZodType<T>, value: unknown): Read<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: parsed.data };
  const [issue] = parsed.error.issues;
  const path = issue?.path.join('.') ?? '';
  return { mistake: `${path === '' ? '' : `${path}: `}${issue?.message ?? 'it cannot be read'}` };
}
