// What an IdentityProvider says of tokens that programs bring, as a zod schema.
import { z } from 'zod';

export const programSpec = z.strictObject({
  audiences: z.array(z.string().min(1).max(1024)).min(1).max(32).meta({
    description:
      'A token counts where its aud names one of these. Never the client id alone: that is what id tokens are for.',
  }),
  introspection: z
    .strictObject({
      requireAudience: z.boolean().default(true).meta({
        description: 'Refuses a token of which the provider does not say for whom it is.',
      }),
    })
    .optional()
    .meta({
      description:
        'Has the provider asked about tokens that are no JWT (RFC 7662). Absent: such tokens are left to the applications.',
    }),
});
export type ProgramSpec = z.infer<typeof programSpec>;
