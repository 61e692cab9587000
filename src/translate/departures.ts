// Policies that governed a route in one translation and no longer do in the next: nothing is left on the Ingress that would say so.
import { byAnnotation } from './attachment.ts';
import type { Translation } from './translate.ts';
import { describeReference } from '../model/diagnostic.ts';
import type { Diagnostic, ObjectReference } from '../model/diagnostic.ts';
import type { Access, AttachedPolicy } from '../model/policy.ts';
import type { Route } from '../model/route.ts';

export interface Departure {
  /** The policy's name, and a route that it governed. */
  readonly policy: string;
  readonly host: string;
  readonly route: string;
  readonly diagnostic: Diagnostic;
}

type Hosts = Pick<Translation, 'hosts'>;

/** One for each Ingress and Policy, and one for each guardrail, however many Ingresses that governed. */
export function departures(before: Hosts, now: Pick<Translation, 'hosts' | 'statuses'>): readonly Departure[] {
  const found = new Map<string, Departure>();
  for (const [host, { routes }] of before.hosts) {
    const after = now.hosts.get(host);
    if (after === undefined || after.routes === routes) continue;
    const byId = new Map(after.routes.map((route) => [route.id, route]));
    for (const route of routes) {
      const left = byId.get(route.id);
      if (left === undefined || left.access === route.access) continue;
      for (const attached of route.access.policies.filter(
        (one) => isSilent(one) && !governs(left.access, one.policy.name),
      )) {
        const { name } = attached.policy;
        const object = objectOf(attached, route);
        const key = `${describeReference(object)} ${name}`;
        if (found.has(key)) continue;
        const isGone = !now.statuses.some((status) => describeReference(status.object) === name);
        found.set(key, {
          policy: name,
          host,
          route: route.id,
          diagnostic: describe(object, attached, isGone, left.access),
        });
      }
    }
  }
  return [...found.values()];
}

/** Whether the policy governs the route again, or there is no such route any more. */
export function isOver({ hosts }: Hosts, { policy, host, route }: Departure): boolean {
  const found = hosts.get(host)?.routes.find(({ id }) => id === route);
  return found === undefined || governs(found.access, policy);
}

function governs({ policies }: Access, name: string): boolean {
  return policies.some(({ policy }) => policy.name === name);
}

// What stands on the Ingress itself goes only with a change to it, or stays and denies. A guardrail that could not be judged
// in this namespace may never have been meant for it.
function isSilent({ policy, attachment, because }: AttachedPolicy): boolean {
  if (attachment === 'Own') return policy.name.startsWith('Policy ') && because !== byAnnotation;
  return attachment === 'Mandatory' && policy.broken === undefined;
}

function objectOf({ policy, attachment }: AttachedPolicy, { ingress }: Route): ObjectReference {
  if (attachment === 'Own') return { kind: 'Ingress', ...ingress };
  return { kind: 'ClusterPolicy', name: policy.name.slice('ClusterPolicy '.length) };
}

function describe(
  object: ObjectReference,
  { policy, attachment, because = '' }: AttachedPolicy,
  isGone: boolean,
  { policies, defaultAccess }: Access,
): Diagnostic {
  if (attachment === 'Mandatory') {
    const what = isGone ? 'is gone, and refuses nobody any more' : 'no longer governs all that it governed until now';
    const message = `${policy.name} ${what}: see that this was meant`;
    return { code: 'PolicyDeparted', severity: 'warning', object, path: '', message };
  }
  const names = policies.map((one) => one.policy.name).join(', ');
  const nobody = defaultAccess === 'Deny' ? 'nothing, and it denies everybody' : 'the default access Authenticated';
  const message = `${policy.name}, which governed this Ingress until now (${because}), ${isGone ? 'is gone' : 'does so no longer'}; it is left with ${names === '' ? nobody : names}. See that this was meant: a Policy that the annotation sallyport.dev/policy names cannot go without denying`;
  return { code: 'PolicyDeparted', severity: 'warning', object, path: '', message };
}
