// What Ingresses say of a host as a whole: its owner's oldest that says it counts, and whoever says otherwise hears of it.
import { annotationPath } from './annotation-table.ts';
import type { Annotation } from './annotation-table.ts';
import { complain } from './parse.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { HostRoutes, StrictTransport } from '../model/route.ts';

/** As one Ingress says it. */
export interface HostTraffic {
  readonly httpsRedirect?: boolean;
  readonly strictTransport?: StrictTransport;
}

export interface SettledTraffic {
  readonly host: Pick<HostRoutes, 'httpsRedirect' | 'strictTransport'>;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * @param owner The namespace that the host belongs to.
 * @param claims Of the host, by age; those of other namespaces add paths, and say nothing of the whole.
 */
export function settleTraffic(
  host: string,
  owner: string | undefined,
  claims: readonly { readonly ingress: KubernetesObject; readonly traffic: HostTraffic }[],
): SettledTraffic {
  const diagnostics: Diagnostic[] = [];
  const oldest = <Value>(annotation: Annotation, read: (traffic: HostTraffic) => Value | undefined) => {
    let said: Value | undefined;
    for (const { ingress, traffic } of claims) {
      const value = read(traffic);
      if (value === undefined) continue;
      const isOwners = ingress.metadata.namespace === owner;
      if (isOwners) said ??= value;
      if (isOwners && JSON.stringify(said) === JSON.stringify(value)) continue;
      const by = isOwners ? 'an older Ingress says otherwise' : `namespace ${owner ?? ''} alone may say it`;
      const message = `this is about all of ${host}, of which ${by}: it has no effect`;
      diagnostics.push(complain(ingress, 'AnnotationConflict', annotationPath(annotation), message, 'warning'));
    }
    return said;
  };
  const httpsRedirect = oldest('https-redirect', (traffic) => traffic.httpsRedirect);
  const strictTransport = oldest('hsts-max-age', (traffic) => traffic.strictTransport);
  return {
    host: {
      ...(httpsRedirect === false && { httpsRedirect }),
      ...(strictTransport && { strictTransport }),
    },
    diagnostics,
  };
}
