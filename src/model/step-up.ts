// A better sign-in than the one that somebody has: more recent, or stronger.
import { z } from 'zod';
import { listOf, spelling } from './claim-value.ts';
import type { Identity } from './identity.ts';

export const stepUp = z.object({
  /** At most so long ago. */
  withinSeconds: z.number().exactOptional(),
  /** With an authentication context class (`acr`) that is one of these, the preferred first. */
  acrValues: z.array(z.string()).readonly().exactOptional(),
  /** With all of these authentication methods (`amr`, RFC 8176). */
  methods: z.array(z.string()).readonly().exactOptional(),
});

/** Never empty. */
export type StepUp = Readonly<z.infer<typeof stepUp>>;

/** Whether a sign-in is as recent as is asked; a session that began too long ago would be asked for again, for ever. */
function isRecent(
  { withinSeconds = Infinity }: StepUp,
  { authenticatedAt, startedAt }: { readonly authenticatedAt: number; readonly startedAt: number },
  now: number,
): boolean {
  return now - Math.min(authenticatedAt, startedAt) < withinSeconds * 1000;
}

/** Whether a sign-in is as strong as is asked, by the provider's own word. */
export function isStrong({ acrValues, methods = [] }: StepUp, { claims }: Pick<Identity, 'claims'>): boolean {
  const acr = Object.hasOwn(claims, 'acr') ? spelling(claims['acr']) : undefined;
  const used = Object.hasOwn(claims, 'amr') ? (listOf(claims['amr'])?.map(spelling) ?? []) : [];
  return (
    (acrValues === undefined || (acr !== undefined && acrValues.includes(acr))) &&
    methods.every((method) => used.includes(method))
  );
}

/** @param now Milliseconds since the epoch. */
export function meets(
  wanted: StepUp,
  times: { readonly authenticatedAt: number; readonly startedAt: number },
  identity: Pick<Identity, 'claims'>,
  now: number,
): boolean {
  return isRecent(wanted, times, now) && isStrong(wanted, identity);
}
