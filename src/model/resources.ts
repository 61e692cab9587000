// Our four kinds as Kubernetes knows them: short names, descriptions and columns, beside the schemas of model/kinds.
import type { z } from 'zod';
import { identityProviderSpec, sallyportSpec } from './kinds.ts';
import { clusterPolicySpec, policySpec } from './policy-kinds.ts';
import { collections } from './objects.ts';
import type { Collection } from './objects.ts';

/** A kind of ours, with what its CRD needs beyond the schema. */
export interface OwnKind {
  readonly collection: Collection;
  readonly spec: z.ZodType;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly jsonPath: string }[];
}

const readyColumns = [
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Programmed")].status' },
  { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Programmed")].reason' },
];
const routesColumn = { name: 'Routes', type: 'integer', jsonPath: '.status.routes' };
const ageColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

export const ownKinds: readonly OwnKind[] = [
  {
    collection: 'sallyports',
    spec: sallyportSpec,
    shortNames: ['sp'],
    description: 'Settings of one ingress class; IngressClass.spec.parameters points at it.',
    columns: [...readyColumns, ageColumn],
  },
  {
    collection: 'identityProviders',
    spec: identityProviderSpec,
    shortNames: ['idp'],
    description: 'One OpenID Connect provider, and who may use it.',
    columns: [{ name: 'Issuer', type: 'string', jsonPath: '.spec.oidc.issuer' }, ...readyColumns, ageColumn],
  },
  {
    collection: 'policies',
    spec: policySpec,
    shortNames: ['pol'],
    description:
      'Who may do what. Chosen by an Ingress with the annotation sallyport.dev/policy, or attached with targetRefs.',
    columns: [{ name: 'Mode', type: 'string', jsonPath: '.spec.mode' }, routesColumn, ...readyColumns, ageColumn],
  },
  {
    collection: 'clusterPolicies',
    spec: clusterPolicySpec,
    shortNames: ['cpol'],
    description: "The platform team's guardrail over the routes of whole namespaces.",
    columns: [
      { name: 'Enforcement', type: 'string', jsonPath: '.spec.enforcement' },
      { name: 'Mode', type: 'string', jsonPath: '.spec.mode' },
      routesColumn,
      ...readyColumns,
      ageColumn,
    ],
  },
];

/** Whether an object is of one of our kinds: those carry a status that we write. */
export function isOwnKind(kind: string): boolean {
  return ownKinds.some((own) => collections[own.collection].kind === kind);
}
