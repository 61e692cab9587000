// Policy and ClusterPolicy as zod schemas: the CRDs, the parsers and the types are made from here.
import { z } from 'zod';
import { duration } from './duration.ts';
import { described, formed, name, providerReference, providerReferences } from './fields.ts';
import { policyMode, policyTest, rule } from './policy.ts';
import { labelSelector } from './selector.ts';

const dataSetName = formed(
  /^[a-z][A-Za-z0-9]*$/,
  63,
  'a name such as onCall is wanted: letters and digits, the first a small letter',
);

/** Content that a policy looks up: a ConfigMap of `reference`. */
const dataSets = <Reference extends z.ZodType>(reference: Reference) =>
  z
    .array(
      z
        .strictObject({
          name: dataSetName.meta({ description: 'By which the rules know it: inDataSet, or data.<name> in CEL.' }),
          configMapRef: reference,
          staleAfter: duration.optional().meta({
            description:
              'How old it may grow, counted from the annotation sallyport.dev/refreshed-at of the ConfigMap (RFC 3339). Older, whatever asks for it cannot be judged. Absent: it does not age.',
          }),
        })
        .meta({ closed: true }),
    )
    .min(1)
    .max(16)
    .optional()
    .meta({ description: 'Lists and maps, kept in ConfigMaps, that the rules look up.' });

const configMapFields = {
  name: described(name, "The ConfigMap's name."),
  key: name.optional().meta({
    description: 'The key whose text is the content: a list or a map in YAML or JSON. Absent: all its data, as a map.',
  }),
};

const policyFields = {
  mode: policyMode.default('Enforce').meta({
    description: 'Audit: decide and log, but neither grant nor refuse, whatever its rules say of their mode.',
  }),
  rules: z.array(rule).min(1).max(128).meta({ description: 'Who may do what. A deny wins over every allow.' }),
  tests: z.array(policyTest).max(256).optional().meta({
    description:
      'Requests with the verdict each must get. A policy that fails its own tests is broken, and a broken policy denies.',
  }),
  contact: z.string().min(1).max(256).optional().meta({
    description: 'Whom a refused person may ask, as they are told on the page: an address, a channel, a sentence.',
  }),
  reveal: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether the page tells a refused person which rule of this policy refused them.' }),
};

export const policySpec = z
  .strictObject({
    ...policyFields,
    identityProviderRef: providerReference
      .optional()
      .meta({ description: "Where people sign in for this policy's routes; absent: the class's own." }),
    identityProviderRefs: providerReferences.meta({
      description: 'Providers that people choose from, after identityProviderRef where there is one.',
    }),
    dataSets: dataSets(
      z.strictObject(configMapFields).meta({ description: 'A ConfigMap in this namespace.', closed: true }),
    ),
    targetRefs: z
      .array(
        z
          .strictObject({
            group: z.literal('networking.k8s.io').default('networking.k8s.io'),
            kind: z.literal('Ingress').default('Ingress'),
            name: name.optional().meta({ description: 'An Ingress in this namespace.' }),
            selector: labelSelector
              .optional()
              .meta({ description: 'Ingresses in this namespace by their labels; {} is all of them.' }),
          })
          .refine(({ name, selector }) => (name === undefined) !== (selector === undefined), {
            error: 'exactly one of name, selector is needed',
          })
          .meta({
            closed: true,
            'x-kubernetes-validations': [
              { rule: 'has(self.name) != has(self.selector)', message: 'exactly one of name, selector is needed' },
            ],
          }),
      )
      .max(64)
      .optional()
      .meta({ description: 'Ingresses that this policy governs, besides those that name it by annotation.' }),
  })
  .meta({ closed: true });
export type PolicySpec = z.infer<typeof policySpec>;

export const clusterPolicySpec = z
  .strictObject({
    ...policyFields,
    dataSets: dataSets(
      z
        .strictObject({ namespace: described(name, "The ConfigMap's namespace."), ...configMapFields })
        .meta({ description: 'A ConfigMap.', closed: true }),
    ),
    enforcement: z.enum(['Mandatory', 'Default']).meta({
      description:
        'Mandatory: can refuse, never grant, and nothing weakens it. Default: applies where an Ingress brings no policy.',
    }),
    namespaceSelector: labelSelector.optional().meta({ description: 'Namespaces it applies to; absent: all.' }),
  })
  .meta({ closed: true });
export type ClusterPolicySpec = z.infer<typeof clusterPolicySpec>;
