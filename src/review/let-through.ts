// How a request ends that its policies let in, by the proxy's own words: a page or a redirect in the application's place, or the application.
import type { Route, RouteTable } from '../model/route.ts';
import { redirectLocation } from '../proxy/redirect.ts';
import type { CanonicalRequest } from '../proxy/request.ts';
import { sentTarget } from '../proxy/rewrite.ts';

export interface Ending {
  /** As the access log has it. */
  readonly outcome: string;
  readonly sentence: string;
}

/** As in proxy/let-through. */
export function letThroughEnding(table: RouteTable, route: Route, asked: CanonicalRequest): Ending {
  const { maintenance, redirect, upstream } = route;
  const misconfigured = (why: string): Ending => ({ outcome: 'Misconfigured', sentence: `It gets 500: ${why}.` });
  if (maintenance !== undefined) {
    return { outcome: 'Maintenance', sentence: 'It gets 503: the application is in maintenance.' };
  }
  if (redirect !== undefined) {
    const location = redirectLocation(table, route, redirect, asked);
    if (location === undefined) return misconfigured('its redirect leads back to itself');
    return { outcome: 'Redirected', sentence: `It is sent to ${location} (${redirect.status}).` };
  }
  if (upstream === undefined) {
    return { outcome: 'NoEndpoints', sentence: 'It gets 503: there is no application behind the route.' };
  }
  const target = sentTarget(route, asked);
  if ('fault' in target) return misconfigured(target.fault);
  const as = target.path === asked.path ? '' : ` as ${target.path}`;
  return { outcome: 'Forwarded', sentence: `It goes on to ${upstream.name}${as}.` };
}
