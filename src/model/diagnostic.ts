// What is wrong with an object, as a value attached to it; and Redacted, a value that cannot be printed.
import { inspect } from 'node:util';

/** Names an object: what a person would type after `kubectl get`. */
export interface ObjectReference {
  readonly kind: string;
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string;
  readonly name: string;
}

/** Every code a diagnostic may carry. A code is stable: scripts and dashboards may rely on it. */
export type DiagnosticCode =
  | 'AnnotationInvalid'
  | 'AnnotationUnknown'
  | 'AuthenticationHostReserved'
  | 'BackendUnsupported'
  | 'CertificateInvalid'
  | 'CertificateMismatch'
  | 'ConflictingRoute'
  | 'EndpointAddressRefused'
  | 'HostInvalid'
  | 'HostOwnedElsewhere'
  | 'IdentityProviderConflict'
  | 'IdentityProviderNotAllowed'
  | 'IdentityProviderNotFound'
  | 'KeyRingInvalid'
  | 'LoginWithoutHost'
  | 'ManifestInvalid'
  | 'NoEndpoints'
  | 'NoGrant'
  | 'NotSupportedYet'
  | 'NothingServed'
  | 'ObjectInvalid'
  | 'ParametersInvalid'
  | 'ParametersNotFound'
  | 'PathInvalid'
  | 'PolicyBroken'
  | 'PolicyNotFound'
  | 'PolicyTestFailed'
  | 'PolicyUnused'
  | 'SecretInvalid'
  | 'SecretNotFound'
  | 'ServiceNotFound'
  | 'ServicePortNotFound';

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
