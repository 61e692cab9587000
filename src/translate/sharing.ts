// Hosts that a class shares between namespaces: who may add paths to a host that is another's, and which paths those are.
import type { HostClaim } from './ingress.ts';
import { complain } from './parse.ts';
import { selects, selectsAll } from './selector.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { describeReference } from '../model/diagnostic.ts';
import type { HostSharing } from '../model/hosts-spec.ts';
import { referenceTo } from '../model/objects.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Route } from '../model/route.ts';

/** `NamespaceUnreadable`: the class asks for labels, and nobody knows those of this namespace. It may add nothing. */
export type Share = 'Shared' | 'NotShared' | 'NamespaceUnreadable';

/** Whether a namespace may add paths to a host that another namespace owns. */
export function shareOf({ inventory }: World, sharing: HostSharing, host: string, namespace: string): Share {
  const open = sharing.filter(({ hosts }) => hosts.some((pattern) => covers(pattern, host)));
  const found = inventory.namespaces.get(namespace);
  const isOpen = ({ namespaces: { selector } }: HostSharing[number]) =>
    selectsAll(selector) || (found !== undefined && selects(selector, found));
  if (open.some(isOpen)) return 'Shared';
  return open.length > 0 && found === undefined ? 'NamespaceUnreadable' : 'NotShared';
}

// As an Ingress's own wildcard: one label, never none (networking.k8s.io/v1).
function covers(pattern: string, host: string): boolean {
  if (host === '') return false;
  return (
    pattern === host ||
    (pattern.startsWith('*.') && host.indexOf('.') > 0 && pattern === `*${host.slice(host.indexOf('.'))}`)
  );
}

/**
 * Why a path of a shared host is not this claim's to serve; `undefined` where it is. `/` and `/.well-known` speak for the host
 * as a whole, and are its owner's. What is below a path is of the namespace that serves it, lest somebody come between.
 * @param above The older Ingress that serves a path as a prefix.
 */
export function pathOwnedElsewhere(
  { ingress, host, path: at }: HostClaim,
  { path, match }: Route,
  owner: string,
  above: (path: string) => KubernetesObject | undefined,
): Diagnostic | undefined {
  const { namespace } = ingress.metadata;
  const refuse = (why: string): Diagnostic => {
    const message = `${host}${path} (${match}) is not served from here: ${why}`;
    return { ...complain(ingress, 'PathOwnedElsewhere', at, message), host };
  };
  if (namespace !== owner && speaksForHost(path)) {
    return refuse(
      `of a host that is shared, / and what is below /.well-known are its owner's, and that is namespace ${owner}`,
    );
  }
  for (const prefix of prefixesOf(path, match)) {
    const found = above(prefix);
    if (found === undefined || found.metadata.namespace === namespace) continue;
    return refuse(`it is below ${prefix} of ${describeReference(referenceTo(found))}, which came first`);
  }
  return undefined;
}

function speaksForHost(path: string): boolean {
  return path === '/' || `${path}/`.startsWith('/.well-known/');
}

// Not a prefix itself: there, the two are in conflict, and that is told.
function* prefixesOf(path: string, match: Route['match']): Generator<string> {
  for (let end = path.indexOf('/', 1); end !== -1; end = path.indexOf('/', end + 1)) yield path.slice(0, end);
  if (match === 'Exact') yield path;
}
