// Policies that governed a route in one translation and no longer do in the next: nothing is left on the Ingress that would say so.
import { byAnnotation } from './attachment.ts';
import type { Translation } from './translate.ts';
import { describeReference } from '../model/diagnostic.ts';
import type { Diagnostic, ObjectReference } from '../model/diagnostic.ts';
import type { Access, AttachedPolicy } from '../model/policy.ts';
import type { Route } from '../model/route.ts';
import { changedKeys } from '../model/shared-map.ts';

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
  for (const { host, route, left } of changedRoutes(before, now)) {
    const gone = route.access.policies.filter((one) => isSilent(one) && !governs(left, one.policy.name));
    for (const attached of gone) {
      const policy = attached.policy.name;
      const key = attached.attachment === 'Own' ? `${route.ingress.namespace}/${route.ingress.name} ${policy}` : policy;
      if (found.has(key)) continue;
      const isDeleted = !now.statuses.some(({ object }) => describeReference(object) === policy);
      found.set(key, { policy, host, route: route.id, diagnostic: describe(attached, isDeleted, route, left) });
    }
  }
  return [...found.values()];
}

/** Routes that stand, and whose access is another: as they were, and what is left of it. */
function* changedRoutes(before: Hosts, now: Hosts) {
  for (const host of changedKeys(before.hosts, now.hosts)) {
    const routes = before.hosts.get(host)?.routes;
    const after = now.hosts.get(host)?.routes;
    if (routes === undefined || after === undefined || after === routes) continue;
    const accesses = new Map(after.map(({ id, access }) => [id, access]));
    for (const route of routes) {
      const left = accesses.get(route.id);
      if (left !== undefined && left !== route.access) yield { host, route, left };
    }
  }
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

function describe(
  { policy: { name }, attachment, because = '' }: AttachedPolicy,
  isDeleted: boolean,
  { ingress }: Route,
  { policies, defaultAccess }: Access,
): Diagnostic {
  const departed = (object: ObjectReference, message: string): Diagnostic => ({
    code: 'PolicyDeparted',
    severity: 'warning',
    object,
    path: '',
    message,
  });
  if (attachment === 'Mandatory') {
    const what = isDeleted
      ? 'is gone, and no longer refuses anybody at what it governed'
      : 'no longer governs all that it did';
    const guardrail = { kind: 'ClusterPolicy', name: name.slice('ClusterPolicy '.length) };
    return departed(
      guardrail,
      `${name} ${what}, such as Ingress ${ingress.namespace}/${ingress.name}: see that this was meant`,
    );
  }
  const names = policies.map(({ policy }) => policy.name).join(', ');
  const nothing = defaultAccess === 'Deny' ? 'nothing, and it denies everybody' : 'the default access Authenticated';
  return departed(
    { kind: 'Ingress', ...ingress },
    `${name}, which governed this Ingress until now (${because}), ${isDeleted ? 'is gone' : 'does so no longer'}; it is left with ${names === '' ? nothing : names}. See that this was meant: a Policy that the annotation sallyport.dev/policy names cannot go without denying`,
  );
}
