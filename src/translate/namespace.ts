// What the objects of one namespace ask for, read together: all that an Ingress refers to is in its own namespace, or the whole cluster's.
import { classNameOf, isServed, readIngress } from './ingress.ts';
import type { HostClaim, IngressReading } from './ingress.ts';
import { readPolicy } from './policy.ts';
import { classMissing } from './settings.ts';
import type { ClassReading } from './settings.ts';
import { checkProviders } from './sign-in.ts';
import { isSolver, readSolver } from './solver.ts';
import type { SolverClaim, SolverReading } from './solver.ts';
import type { Notes, World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { KubernetesObject, ObjectMap } from '../model/objects.ts';

export interface NamespaceReading {
  /** Those of the class that is served. */
  readonly ingresses: readonly KubernetesObject[];
  readonly served: readonly IngressReading[];
  readonly solvers: readonly SolverReading[];
  readonly claims: readonly HostClaim[];
  readonly solverClaims: readonly SolverClaim[];
  readonly policies: readonly KubernetesObject[];
  /** Of policies, and of Ingresses whose class is not there. */
  readonly diagnostics: readonly Diagnostic[];
  /** Those that are not faultless. */
  readonly faultyIngresses: readonly IngressReading[];
  readonly faultySolvers: readonly SolverReading[];
  readonly notes: Notes;
}

const nothing: ObjectMap = new Map();

export function readNamespace(world: World, reading: ClassReading, namespace: string): NamespaceReading {
  const { inventory } = world;
  const all = [...(inventory.ingresses.parts.get(namespace) ?? nothing).values()];
  const policies = [...(inventory.policies.parts.get(namespace) ?? nothing).values()];
  const { result, notes } = world.noting(() => {
    const ingresses = all.filter((ingress) => isServed(ingress, reading));
    const naming = all.filter((ingress) => classNameOf(ingress) === world.options.className);
    return {
      ingresses,
      served: ingresses.filter((ingress) => !isSolver(ingress)).map((ingress) => readIngress(world, reading, ingress)),
      solvers: ingresses.filter(isSolver).map((ingress) => readSolver(world, ingress)),
      diagnostics: [
        ...classMissing(world, naming),
        ...policies.flatMap((policy) => [
          ...readPolicy(world, policy).diagnostics,
          ...checkProviders(world, reading, policy),
        ]),
      ],
    };
  });
  const { served, solvers } = result;
  return {
    ...result,
    policies,
    claims: served.flatMap(({ claims }) => claims),
    solverClaims: solvers.flatMap(({ claims }) => claims),
    faultyIngresses: served.filter(isFaulty),
    faultySolvers: solvers.filter(isFaulty),
    notes,
  };
}

function isFaulty({ diagnostics }: IngressReading | SolverReading): boolean {
  return diagnostics.length > 0;
}
