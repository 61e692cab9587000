// The default backend of a class: what answers requests for hosts that no Ingress claims, for everybody.
import { clusterPoliciesOf } from './attachment.ts';
import { complain } from './parse.ts';
import { createMemory } from './remember.ts';
import type { ClassReading } from './settings.ts';
import { readUpstream } from './upstream.ts';
import { noTerms } from './upstream-terms.ts';
import type { World } from './world.ts';
import { describeReference } from '../model/diagnostic.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { referenceTo } from '../model/objects.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Policy } from '../model/policy.ts';
import type { HostRoutes } from '../model/route.ts';

interface DefaultBackend {
  readonly host?: HostRoutes;
  /** The ClusterPolicies that govern it. */
  readonly policies: readonly KubernetesObject[];
  readonly diagnostics: readonly Diagnostic[];
}

const rememberHost = createMemory<HostRoutes>();

/**
 * A host without a name, of one route. It is public by nature, for nobody can sign in without a host; what is Mandatory in the
 * namespace of its Service may refuse all the same.
 */
export function readDefaultBackend(world: World, reading: ClassReading): DefaultBackend {
  const { sallyport, defaultBackend: named } = reading;
  if (sallyport === undefined || named === undefined) return { policies: [], diagnostics: [] };
  const { namespace, name, port } = named;
  const ingress = standIn(sallyport, namespace);
  const { upstream, diagnostics } = readUpstream(world, ingress, { service: { name, port: { number: port } } }, field, {
    class: reading.upstream,
    own: noTerms,
  });
  const guardrails = clusterPoliciesOf(world, namespace).filter(({ attached }) => attached.attachment === 'Mandatory');
  const imposed = guardrails.map(({ attached }) => attached);
  const inputs = [upstream, ...imposed.flatMap(({ policy, because }) => [policy.broken ?? policy, because])];
  const host = rememberHost(sallyport, inputs, () => ({
    host: '',
    routes: [
      {
        id: `${describeReference(referenceTo(sallyport))} /`,
        ingress: { namespace, name: ingress.metadata.name },
        path: '/',
        match: 'Prefix',
        access: {
          policies: [{ policy: forEverybody(sallyport), attachment: 'Own', because: field }, ...imposed],
          defaultAccess: reading.settings.defaultAccess,
        },
        providers: [],
        ...(upstream && { upstream }),
      },
    ],
  }));
  return {
    host,
    policies: guardrails.map(({ object }) => object),
    diagnostics: diagnostics.map((one) => onSallyport(one, ingress, sallyport)),
  };
}

/** Where an Ingress answers for those hosts, the class's own has no effect. */
export function precededBy(ingress: KubernetesObject, { sallyport }: ClassReading): readonly Diagnostic[] {
  if (sallyport === undefined) return [];
  const message = `${describeReference(referenceTo(ingress))} answers for every host that nobody names: this one has no effect`;
  return [complain(sallyport, 'ConflictingRoute', field, message, 'warning')];
}

const field = 'spec.defaultBackend';

function forEverybody(sallyport: KubernetesObject): Policy {
  const name = `the default backend of ${describeReference(referenceTo(sallyport))}`;
  return { name, mode: 'Enforce', rules: [{ allow: { or: [{ accept: true }] } }] };
}

const standIns = new WeakMap<KubernetesObject, KubernetesObject>();

// A backend is read for an Ingress of its own namespace. No object can have this name.
function standIn(sallyport: KubernetesObject, namespace: string): KubernetesObject {
  const known = standIns.get(sallyport);
  if (known !== undefined) return known;
  const metadata = { namespace, name: '(default backend)' };
  const ingress = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata, spec: {} };
  standIns.set(sallyport, ingress);
  return ingress;
}

function onSallyport(diagnostic: Diagnostic, ingress: KubernetesObject, sallyport: KubernetesObject): Diagnostic {
  const { object, path } = diagnostic;
  if (describeReference(object) !== describeReference(referenceTo(ingress))) return diagnostic;
  return {
    ...diagnostic,
    object: referenceTo(sallyport),
    path: path.replace('.service', '').replace('.port.number', '.port'),
  };
}
