// Routes and policies as answers show them: plain data, for programs as much as for the text made of it.
import type { AttachedPolicy, Rule } from '../model/policy.ts';
import type { Route } from '../model/route.ts';
import type { PolicyExplanation } from '../model/verdict.ts';

export interface ShownRoute {
  readonly id: string;
  /** `namespace/name`. */
  readonly ingress: string;
  /** `*`: requests whose host nobody claims. */
  readonly host: string;
  readonly path: string;
  readonly match: Route['match'];
  /** Where people sign in. */
  readonly providers: readonly string[];
  /** Whether workloads' own tokens count. */
  readonly workloads?: true;
  readonly upstream?: string;
  /** Why it refuses everybody. */
  readonly denied?: string;
}

export interface ShownPolicy extends PolicyExplanation {
  /** Why it governs the route. */
  readonly because?: string;
  /** Of annotations about access: the rules that they stand for. */
  readonly sugarFor?: readonly Rule[];
}

export function showRoute(host: string, route: Route): ShownRoute {
  const { id, ingress, path, match, providers, workloads, upstream, denied } = route;
  return {
    id,
    ingress: `${ingress.namespace}/${ingress.name}`,
    host: host === '' ? '*' : host,
    path,
    match,
    providers,
    ...(workloads && { workloads }),
    ...(upstream && { upstream: upstream.name }),
    ...(denied !== undefined && { denied }),
  };
}

/** What an attachment adds to what a policy said; `attached` is the policy's own, where it still is there. */
export function showPolicy(explained: PolicyExplanation, attached: AttachedPolicy | undefined): ShownPolicy {
  return { ...explained, ...(attached && attachmentOf(attached)) };
}

function attachmentOf({ because, policy }: AttachedPolicy): Pick<ShownPolicy, 'because' | 'sugarFor'> {
  return {
    ...(because !== undefined && { because }),
    ...(isSugar(policy.name) && { sugarFor: policy.rules }),
  };
}

/** A Policy is named by its kind; what annotations amount to, by the Ingress. */
function isSugar(name: string): boolean {
  return name.startsWith('annotations of ');
}
