// Front-channel logout (OpenID Connect Front-Channel Logout 1.0): the provider's sign-out page loads ours in a frame, which ends a session.
import type { Answer, OwnRequest } from '../authority.ts';
import { heldRecord, page, retryAfterSeconds } from '../desk.ts';
import type { Desk } from '../desk.ts';
import { isIndexed, ofIssuer } from '../session/find.ts';
import { endProviderSessions, signersOf } from './provider-session.ts';
import type { StoredRecord } from '../../sessions/store.ts';

// Anybody may ask, and each time the store is searched.
const maxUnderWay = 4;

type Outcome = 'Ended' | 'NoSession';

/**
 * The endpoint. With `iss` and `sid` it ends the session that they name; they are as good as secret, and where the browser
 * brings a session it must be that one. Without them it ends the session that the browser brings. The answer is the same
 * whatever happened.
 */
export function createFrontChannel(): (desk: Desk, request: OwnRequest) => Promise<Answer> {
  let underWay = 0;
  return async (desk, request) => {
    if (underWay >= maxUnderWay) return page({ kind: 'ProviderUnavailable', retryAfterSeconds });
    underWay += 1;
    try {
      const parameters = new URLSearchParams(request.query);
      const [iss, ...otherIss] = parameters.getAll('iss');
      const [sid, ...otherSids] = parameters.getAll('sid');
      const isOdd = otherIss.length > 0 || otherSids.length > 0 || (iss === undefined) !== (sid === undefined);
      // Anything else than a frame is no provider's sign-out page, but somebody's link.
      const isFramed = request.fetchDestination === undefined || /^i?frame$/.test(request.fetchDestination);
      const outcome = isOdd || !isFramed ? 'NoSession' : await end(desk, request, iss, sid);
      desk.metrics.providerLogouts.inc({ channel: 'Front', outcome });
      return { kind: 'Frame', ancestors: framedBy(desk), cookies: [] };
    } finally {
      underWay -= 1;
    }
  };
}

async function end(
  desk: Desk,
  request: OwnRequest,
  iss: string | undefined,
  sid: string | undefined,
): Promise<Outcome> {
  const held = await heldRecord(desk, request);
  if (iss === undefined || sid === undefined) return held === undefined ? 'NoSession' : endOwn(desk, held.found.record);
  const providers = signersOf(desk, iss).map(({ name }) => name);
  if (providers.length === 0) return 'NoSession';
  if (held !== undefined && !isIndexed(held.found.record, desk.ring, 'sid', ofIssuer(iss, sid))) return 'NoSession';
  const ended = await endProviderSessions(desk, { issuer: iss, providers, providerSessionId: sid }, 'Front');
  return ended > 0 ? 'Ended' : 'NoSession';
}

async function endOwn(desk: Desk, record: StoredRecord): Promise<Outcome> {
  return (await desk.store.remove('session', record.id)) ? 'Ended' : 'NoSession';
}

/** Whose pages may hold ours: those of the providers, for one of which it is. */
function framedBy(desk: Desk): readonly string[] {
  return desk.providers().flatMap(({ signer }) => (signer === undefined ? [] : [new URL(signer.issuer).origin]));
}
