// The Kubernetes objects that we read: the shapes of the built-in kinds, and the Inventory that holds all of them.
import { z } from 'zod';
import type { ObjectReference } from './diagnostic.ts';

/** Any object as the API server or a file gives it: only what names it can be relied on, the rest must be parsed. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  /** RFC 3339; absent in files. */
  readonly creationTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The kinds that an inventory holds, by the name of their collection. */
export const collections = {
  ingresses: { kind: 'Ingress', group: 'networking.k8s.io', version: 'v1', resource: 'ingresses', namespaced: true },
  ingressClasses: {
    kind: 'IngressClass',
    group: 'networking.k8s.io',
    version: 'v1',
    resource: 'ingressclasses',
    namespaced: false,
  },
  services: { kind: 'Service', group: '', version: 'v1', resource: 'services', namespaced: true },
  endpointSlices: {
    kind: 'EndpointSlice',
    group: 'discovery.k8s.io',
    version: 'v1',
    resource: 'endpointslices',
    namespaced: true,
  },
  secrets: { kind: 'Secret', group: '', version: 'v1', resource: 'secrets', namespaced: true },
  configMaps: { kind: 'ConfigMap', group: '', version: 'v1', resource: 'configmaps', namespaced: true },
  namespaces: { kind: 'Namespace', group: '', version: 'v1', resource: 'namespaces', namespaced: false },
  sallyports: {
    kind: 'Sallyport',
    group: 'sallyport.dev',
    version: 'v1alpha1',
    resource: 'sallyports',
    namespaced: false,
  },
  identityProviders: {
    kind: 'IdentityProvider',
    group: 'sallyport.dev',
    version: 'v1alpha1',
    resource: 'identityproviders',
    namespaced: false,
  },
  policies: { kind: 'Policy', group: 'sallyport.dev', version: 'v1alpha1', resource: 'policies', namespaced: true },
  clusterPolicies: {
    kind: 'ClusterPolicy',
    group: 'sallyport.dev',
    version: 'v1alpha1',
    resource: 'clusterpolicies',
    namespaced: false,
  },
} as const satisfies Record<string, ResourceType>;

/** Where the API server keeps a kind. The core group is the empty string. */
export interface ResourceType {
  readonly kind: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly namespaced: boolean;
}

export type Collection = keyof typeof collections;

/** The kinds of which names alone are watched: content is fetched where something refers to it (promise 13). */
export const referencedCollections = ['secrets', 'configMaps'] as const satisfies readonly Collection[];
export type ReferencedCollection = (typeof referencedCollections)[number];

/** What something refers to: keys of objects, `namespace/name`. */
export type References = Readonly<Record<ReferencedCollection, ReadonlySet<string>>>;

/**
 * How far we see: `Listed`, what is not there does not exist; `Pending`, that is about to be known; `Forbidden`, the API
 * server does not let us look; `Unwatched`, outside the namespaces that this installation serves.
 */
export type Reach = 'Listed' | 'Pending' | 'Forbidden' | 'Unwatched';

export type ObjectMap = ReadonlyMap<string, KubernetesObject>;

/**
 * Everything there is, at one moment. Objects are frozen, without `status` and `managedFields`, and keep their identity
 * for as long as they do not change, so that what was computed from one may be remembered by it.
 * Maps are keyed by `namespace/name`, or `name` for cluster-scoped kinds.
 *
 * A Secret or ConfigMap that nothing refers to is there as a name only, its kind `PartialObjectMetadata`: it exists, and
 * its content was never fetched.
 */
export type Inventory = Readonly<Record<Collection, ObjectMap>> & {
  /** The `status` of our own kinds as last seen, by `Kind/namespace/name` or `Kind/name`. */
  readonly statuses: ReadonlyMap<string, unknown>;
  /** Of the referenced collections; see {@link reachOf}. */
  readonly reach: ReadonlyMap<string, Reach>;
};

/** The entry of a collection's reach: as a whole, in one namespace, or of the content under one key. */
export function reachKey(collection: ReferencedCollection, place?: string): string {
  return place === undefined ? collection : `${collection}/${place}`;
}

/** How far an inventory knows the object under a key: the narrowest entry counts, and none means that all was listed. */
export function reachOf({ reach }: Inventory, collection: ReferencedCollection, key: string): Reach {
  const [namespace] = key.split('/');
  for (const place of [key, namespace, undefined]) {
    const found = reach.get(reachKey(collection, place));
    if (found !== undefined) return found;
  }
  return 'Listed';
}

/** `namespace/name`, or `name` where there is no namespace: the key of an object in its map. */
export function objectKey(object: { readonly namespace?: string; readonly name: string }): string {
  return object.namespace === undefined ? object.name : `${object.namespace}/${object.name}`;
}

export function referenceTo(object: KubernetesObject): ObjectReference {
  const { name, namespace } = object.metadata;
  return namespace === undefined ? { kind: object.kind, name } : { kind: object.kind, namespace, name };
}

/** An inventory of nothing. */
export function emptyInventory(): Inventory {
  const none: ObjectMap = new Map();
  return {
    ingresses: none,
    ingressClasses: none,
    services: none,
    endpointSlices: none,
    secrets: none,
    configMaps: none,
    namespaces: none,
    sallyports: none,
    identityProviders: none,
    policies: none,
    clusterPolicies: none,
    statuses: new Map(),
    reach: new Map(),
  };
}

// The API server has checked these shapes; a file has not been checked by anybody. Unknown fields are ignored: these are
// other people's kinds, and a newer Kubernetes may add to them.

const servicePort = z.object({ name: z.string().optional(), number: z.int().optional() });

const ingressBackend = z.object({
  service: z.object({ name: z.string(), port: servicePort.optional() }).optional(),
  resource: z.object({ apiGroup: z.string().optional(), kind: z.string(), name: z.string() }).optional(),
});

const ingressPath = z.object({
  path: z.string().optional(),
  pathType: z.enum(['Exact', 'Prefix', 'ImplementationSpecific']),
  backend: ingressBackend,
});

const ingressRule = z.object({
  host: z.string().optional(),
  http: z.object({ paths: z.array(ingressPath) }).optional(),
});

const ingressTls = z.object({ hosts: z.array(z.string()).optional(), secretName: z.string().optional() });

export const ingressSpec = z.object({
  ingressClassName: z.string().optional(),
  defaultBackend: ingressBackend.optional(),
  tls: z.array(ingressTls).optional(),
  rules: z.array(ingressRule).optional(),
});
export type IngressSpec = z.infer<typeof ingressSpec>;
export type IngressBackend = z.infer<typeof ingressBackend>;

export const ingressClassSpec = z.object({
  controller: z.string().optional(),
  parameters: z
    .object({ apiGroup: z.string().nullish(), kind: z.string(), name: z.string(), scope: z.string().nullish() })
    .optional(),
});

export const serviceSpec = z.object({
  type: z.string().optional(),
  clusterIP: z.string().optional(),
  externalName: z.string().optional(),
  publishNotReadyAddresses: z.boolean().optional(),
  /** The first is that of the clusterIP. */
  ipFamilies: z.array(z.string()).nullish(),
  ports: z
    .array(
      z.object({
        name: z.string().optional(),
        port: z.int(),
        targetPort: z.union([z.int(), z.string()]).optional(),
        protocol: z.string().optional(),
        appProtocol: z.string().nullish(),
      }),
    )
    .optional(),
});
export type ServiceSpec = z.infer<typeof serviceSpec>;

/** An EndpointSlice has no `spec`: its fields stand at the top. */
export const endpointSlice = z.object({
  addressType: z.enum(['IPv4', 'IPv6', 'FQDN']),
  endpoints: z
    .array(
      z.object({
        addresses: z.array(z.string()),
        conditions: z
          .object({ ready: z.boolean().nullish(), serving: z.boolean().nullish(), terminating: z.boolean().nullish() })
          .nullish(),
        targetRef: z.object({ uid: z.string().nullish() }).nullish(),
        hints: z.object({ forZones: z.array(z.object({ name: z.string() })).nullish() }).nullish(),
      }),
    )
    .nullish(),
  ports: z
    .array(z.object({ name: z.string().nullish(), port: z.int().nullish(), protocol: z.string().nullish() }))
    .nullish(),
});
export type EndpointSlice = z.infer<typeof endpointSlice>;

/** `data` is base64, as the API server keeps it; `stringData` is plain, and only files have it. */
export const secretContent = z.object({
  type: z.string().optional(),
  data: z.record(z.string(), z.string()).nullish(),
  stringData: z.record(z.string(), z.string()).nullish(),
});

/** `binaryData` is what is no UTF-8 text: nothing that refers to a ConfigMap has a use for that. */
export const configMapContent = z.object({ data: z.record(z.string(), z.string()).nullish() });
