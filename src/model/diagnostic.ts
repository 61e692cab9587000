// What is wrong with an object, as a value attached to it; and Redacted, a value that cannot be printed.
import { inspect } from 'node:util';

/** Names an object: what a person would type after `kubectl get`. */
export interface ObjectReference {
  readonly kind: string;
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string;
  readonly name: string;
}

/**
 * Every code a diagnostic may carry, with what it means and what to do: docs/diagnostics.md is made from this table. A code
 * is stable: scripts and dashboards may rely on it.
 */
export const diagnosticCodes = {
  AnnotationConflict:
    'Two Ingresses of one host say different things of it by annotation, and the older one’s counts: say the same, or remove one of the two.',
  AnnotationForeign:
    'An annotation of another controller’s has no effect: use what the message says instead, and remove it where nobody else reads it.',
  AnnotationInvalid:
    'An annotation has a value that cannot be understood: write what the message asks for, which says also what happens until then. Where ignoring it would let in, reach or reveal something that was not meant, the Ingress denies everybody.',
  AnnotationNotYet:
    'The name of an annotation is kept for what a later version will do, and has no effect yet: leave it out, or live without.',
  AnnotationUnknown:
    'There is no such annotation: correct its name, or remove it. One that looks like a misspelt annotation whose loss would let in, reach or reveal something makes the Ingress deny everybody.',
  AuthenticationHostReserved:
    'An Ingress names the authentication host, which Sallyport serves itself: take that host out of it. Only the installation’s own namespace may name it, for its certificate.',
  BackendUnsupported:
    'A backend is of a sort that is not served (a resource), or its port has an appProtocol that is not known: name a Service, and set its appProtocol or the annotation upstream-protocol.',
  CertificateConflict:
    'A host has one certificate, and that is the one of the oldest Ingress of the namespace that owns it: this Ingress names another, which is not used. Name the same Secret, or leave the host out of spec.tls.',
  CertificateInvalid:
    'A Secret with a certificate cannot be used, or its certificate has expired or is not valid yet: renew it, chain under tls.crt and key under tls.key.',
  CertificateExpiresSoon:
    'A certificate expires within two weeks, or has less than a third of a shorter life left: renew it, or see why it was not renewed.',
  CertificateMismatch:
    'The certificate does not name the host that it is served for, and browsers will warn: have one issued with this host among its subject alternative names.',
  ChallengeBehindPolicies:
    'A path of an ordinary Ingress is there for an ACME server, which cannot sign in: leave acme.cert-manager.io/http01-edit-in-place out, so that cert-manager makes an Ingress of its own for the challenge.',
  ConflictingRoute:
    'The same host and path is served already, by an older Ingress or an earlier path: remove one of the two. Nothing leads to this one.',
  DataSetInvalid:
    'A policy looks up a ConfigMap that is not there, cannot be read, or holds no list and no map: create or correct it. Until then whatever asks for it counts against the request.',
  DataSetStale:
    'The content of a data set is older than its policy believes: refresh the ConfigMap, and its annotation sallyport.dev/refreshed-at. Until then whatever asks for it counts against the request.',
  EndpointAddressRefused:
    'An EndpointSlice holds names, something that is not an address, or an address that no application has (loopback, link-local, metadata, our own pod, the API server): those endpoints are left out. Give addresses of pods.',
  ExternalNameRefused:
    'A Service of type ExternalName leads to a name that the class does not list, or to none: add the name to spec.upstream.externalNames of the Sallyport object, or name a Service with pods.',
  HostInvalid:
    'A host is not a lower-case name, or a wildcard stands elsewhere than before a name of two labels: nothing is served under it. Correct the host.',
  HostOwnedElsewhere:
    'The host belongs to another namespace, that of its oldest Ingress: choose another host, or move the Ingress to that namespace.',
  IdentityProviderConflict:
    'The policies of one Ingress name different identity providers, and it denies everybody: a person signs in at one, so let them name the same.',
  IdentityProviderNotAllowed:
    'A Policy names an IdentityProvider that does not allow its namespace, and its routes deny: extend the provider’s spec.allowedNamespaces, or name another.',
  IdentityProviderNotFound:
    'There is no identity provider where one is needed, so nobody can sign in there: create it, correct its name, or set spec.defaultIdentityProviderRef of the Sallyport object.',
  KeyRingInvalid:
    'The Secret with the key ring cannot be used, and keys that last as long as the process are used instead: restore it, or delete it and start again.',
  LoginWithoutHost:
    'An Ingress without a host is not public, and nobody can sign in without a host, so it lets nobody in: name a host, or make it public.',
  ManifestInvalid:
    'A file of a folder of manifests cannot be read as objects, or two files hold the same object: correct it at the line named.',
  NoEndpoints: 'The Service has no ready endpoint, and requests get 503: see whether its pods run and are ready.',
  NoGrant:
    'Nothing that governs the Ingress could ever let anybody in, and it denies everybody: add a policy that allows, or sallyport.dev/access.',
  NotSupportedYet:
    'A field asks for something that this version does not do, and it is not done: leave the field out, or live with what the message says happens instead.',
  NothingServed:
    'There is no IngressClass of the name and controller that this process serves: create it with spec.controller sallyport.dev/ingress-controller, or start with --class.',
  ObjectInvalid:
    'A field is missing, unknown, or has a value that cannot be used: correct the field that the path names. A policy with such a fault denies.',
  ParametersInvalid:
    'The IngressClass points at something that is not a usable Sallyport object, and the defaults apply, under which nobody can sign in: correct spec.parameters or that object.',
  ParametersNotFound:
    'The IngressClass points at a Sallyport object that is not there, and the defaults apply, under which nobody can sign in: create it, or correct its name.',
  PathOwnedElsewhere:
    'A path of a host that the class shares is not this namespace’s to serve: `/` and what is below `/.well-known` are the owner’s of the host, and what is below a path is of the namespace that served it first. Choose a path beside those.',
  PathInvalid:
    'A path is one that no request can have, belongs to Sallyport itself, or looks like a regular expression: write it as a plain path.',
  PolicyBroken:
    'A policy that governs the Ingress is broken, so the Ingress denies everybody: correct the policy that the message names.',
  PolicyDeparted:
    'A Policy that chose the Ingress by its targetRefs, or a Mandatory ClusterPolicy, governs it no longer: it was deleted, or its targets or the labels changed. See that what is left is what you want. It is said for an hour, by an installation that was running when it happened.',
  PolicyNotFound:
    'The Ingress names a Policy that is not in its namespace, and it denies everybody: create the Policy, or correct the annotation.',
  PolicyTestFailed:
    'A policy gives one of its own tests another verdict than the test expects, so it is broken and denies: correct the rules, or the test.',
  SecretInvalid:
    'A Secret that an IdentityProvider or an annotation refers to has unusable content, and nobody can sign in there, or the Ingress denies everybody: give what the message asks for.',
  SecretNotFound:
    'A Secret, or the key in it, that an object refers to is not there: create it, or correct the reference.',
  ServiceNotFound:
    'The Service of a backend is not there, or cannot be read: create it in the namespace of the Ingress.',
  ServicePortNotFound: 'The Service of a backend has no such TCP port: name one of those that the message lists.',
  SolverInvalid:
    'An Ingress labelled as a solver of ACME challenges asks for more than such a one is for, and that is not served: leave it to cert-manager to make it. An ordinary Ingress must not have the label.',
  UpstreamPlaintext:
    'An application would be spoken to in plain text, or need not prove its name, though the class (spec.upstream.tls) or an annotation asks for TLS; requests get 503: have it speak https, and say so.',
  UpstreamUnverified:
    'An application over TLS need not prove its name, so whoever answers in its place is taken for it: name the authority that vouches for it with upstream-ca-secret instead.',
  WeakGrounds:
    'A rule of a policy lets people in without a sign-in because of an address, a header or a query alone: whoever can send that is let in. Ask for a person beside it, or be sure of what stands in front.',
} as const;
export type DiagnosticCode = keyof typeof diagnosticCodes;

/** `error`: something asked for does not happen. `warning`: it happens, but a person should look. */
export type Severity = 'error' | 'warning';

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  /** The object at fault, which is not always the one that suffers. */
  readonly object: ObjectReference;
  /** The field at fault, as `kubectl explain` spells it: `spec.rules[0].http.paths[1].backend`; empty for the whole object. */
  readonly path: string;
  /** What is wrong and what would be right, one sentence each. Never holds a secret. */
  readonly message: string;
  /** The host that somebody else has, as in HostRoutes, where that is what is wrong. */
  readonly host?: string;
}

/** `Ingress monitoring/grafana` */
export function describeReference(object: ObjectReference): string {
  return `${object.kind} ${object.namespace === undefined ? '' : `${object.namespace}/`}${object.name}`;
}

/** A secret. However it is printed, logged or made JSON of, it reads `[redacted]`; `reveal()` is the one way in. */
export class Redacted<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [inspect.custom](): string {
    return '[redacted]';
  }
}
