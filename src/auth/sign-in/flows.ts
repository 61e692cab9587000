// Sign-ins under way in one browser on one host: each is sealed in a cookie of its own.
import type { OwnRequest } from '../authority.ts';
import { endFlowCookie, flowCookie, flowCookieName } from '../cookie.ts';
import type { Desk } from '../desk.ts';
import { flowLifetimeMs, isFlowId, maxFlows, sealFlow, unsealFlow } from './login.ts';
import type { Flow } from './login.ts';

interface HeldFlow {
  readonly id: string;
  /** Absent: the cookie is too old, or not ours. */
  readonly flow: Flow | undefined;
}

/** The newest first. */
export function heldFlows({ settings, ring, now }: Desk, { cookies, host }: OwnRequest): readonly HeldFlow[] {
  const prefix = flowCookieName(settings, '');
  return cookies
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => ({ id: name.slice(prefix.length), value }))
    .filter(({ id }) => isFlowId(id))
    .map(({ id, value }) => ({ id, flow: unsealFlow(ring, value, host, id, now) }))
    .toSorted((a, b) => (b.flow?.at ?? 0) - (a.flow?.at ?? 0));
}

export function heldFlow(desk: Desk, request: OwnRequest, flowId: string): Flow | undefined {
  return heldFlows(desk, request).find(({ id, flow }) => id === flowId && flow !== undefined)?.flow;
}

/** The new flow's cookie, and the end of those that are too old, not ours, or too many. */
export function flowCookies(desk: Desk, request: OwnRequest, flowId: string, flow: Flow): readonly string[] {
  const { settings, ring } = desk;
  const surplus = heldFlows(desk, request).filter((held, index) => held.flow === undefined || index >= maxFlows - 1);
  return [
    ...surplus.map(({ id }) => endFlowCookie(settings, id)),
    flowCookie(settings, flowId, sealFlow(ring, flow, request.host, flowId), flowLifetimeMs),
  ];
}
