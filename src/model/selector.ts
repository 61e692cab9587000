// Label selectors, as Kubernetes spells them: by labels, by expressions, or both.
import { z } from 'zod';

export const labelSelector = z
  .strictObject({
    matchLabels: z.record(z.string(), z.string().max(63)).optional(),
    matchExpressions: z
      .array(
        z
          .strictObject({
            key: z.string().min(1).max(317),
            operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
            values: z.array(z.string().max(63)).max(64).optional(),
          })
          .refine(({ operator, values = [] }) => ['In', 'NotIn'].includes(operator) === values.length > 0, {
            error: 'In and NotIn need values, Exists and DoesNotExist take none',
            path: ['values'],
          })
          .meta({
            'x-kubernetes-validations': [
              {
                rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
                message: 'In and NotIn need values, Exists and DoesNotExist take none',
              },
            ],
          }),
      )
      .max(16)
      .optional(),
  })
  .meta({ description: 'A label selector; an empty one selects everything.', closed: true });
export type LabelSelector = z.infer<typeof labelSelector>;
