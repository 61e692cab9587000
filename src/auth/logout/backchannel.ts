// Back-channel logout (OpenID Connect Back-Channel Logout 1.0): a provider says that somebody has signed out, and their sessions end.
import type { Answer, OwnRequest } from '../authority.ts';
import { page, retryAfterSeconds } from '../desk.ts';
import type { Desk } from '../desk.ts';
import { indexValue } from '../keys.ts';
import { readLogoutToken } from './token.ts';
import type { LogoutClaims, LogoutFault } from './token.ts';
import { ProviderError } from '../provider/error.ts';
import { endProviderSessions, signersOf } from './provider-session.ts';
import type { NamedSigner } from './provider-session.ts';

// Anybody may ask: what costs more than reading is done for so many at a time.
const maxUnderWay = 16;

interface LogoutRequest {
  readonly token: string;
  readonly claims: LogoutClaims;
  /** Those whose client the token is for. */
  readonly signers: readonly [NamedSigner, ...NamedSigner[]];
}

/** The endpoint. Its answer never tells whether anybody had a session. */
export function createBackChannel(): (desk: Desk, request: OwnRequest) => Promise<Answer> {
  let underWay = 0;
  return async (desk, request) => {
    if (request.method !== 'POST') return page({ kind: 'MethodNotAllowed', allow: ['POST'] });
    const asked = readRequest(desk, request);
    if ('fault' in asked) return refuse(desk, asked);
    if (underWay >= maxUnderWay) return away(desk);
    underWay += 1;
    try {
      return await logOut(desk, asked);
    } finally {
      underWay -= 1;
    }
  };
}

function readRequest(desk: Desk, { contentType = '', body = '' }: OwnRequest): LogoutRequest | LogoutFault {
  if (contentType.split(';', 1)[0]?.trim().toLowerCase() !== 'application/x-www-form-urlencoded')
    return { fault: 'application/x-www-form-urlencoded is wanted' };
  const [token, ...more] = new URLSearchParams(body).getAll('logout_token');
  if (token === undefined || more.length > 0) return { fault: 'one logout_token is wanted' };
  const claims = readLogoutToken(token, desk.now);
  if ('fault' in claims) return claims;
  const { issuer, audience } = claims;
  const [first, ...others] = signersOf(desk, issuer).filter(({ clientId }) => audience.includes(clientId));
  if (first === undefined) return { fault: 'it is of an unknown issuer, or for a client that is not ours' };
  return { token, claims, signers: [first, ...others] };
}

async function logOut(desk: Desk, { token, claims, signers }: LogoutRequest): Promise<Answer> {
  try {
    await signers[0].verify(token, claims.issuer);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.code === 'invalid') return refuse(desk, { fault: 'it is not signed by its issuer' }, error);
    desk.log.warn({ err: error }, 'a logout token cannot be checked');
    return away(desk);
  }
  if (await isUsed(desk, claims)) return replayed(desk);
  const providers = signers.map(({ name }) => name);
  // Before the token is noted as used: what fails in between may be tried again.
  const ended = await endProviderSessions(desk, { ...claims, providers }, 'Back');
  if (!(await noteUsed(desk, claims))) return replayed(desk);
  desk.metrics.providerLogouts.inc({ channel: 'Back', outcome: ended > 0 ? 'Ended' : 'NoSession' });
  return { kind: 'Json', status: 200, body: {}, cookies: [] };
}

// Sixteen bytes, as every record's id; the HMAC keeps who signed out from those who can read the store.
function usedIds({ ring }: Desk, { issuer, jti }: LogoutClaims): readonly string[] {
  return ring.map((key) =>
    Buffer.from(indexValue(key, 'jti', `${issuer}\0${jti}`), 'base64url').toString('base64url', 0, 16),
  );
}

/** Under each key: replicas seal with another one for a moment, while the ring is rotated. */
async function isUsed(desk: Desk, claims: LogoutClaims): Promise<boolean> {
  const found = await Promise.all(usedIds(desk, claims).map((id) => desk.store.read('notice', id)));
  return found.some((one) => one !== undefined);
}

/** `false`: somebody was faster. */
function noteUsed(desk: Desk, claims: LogoutClaims): Promise<boolean> {
  const [id = ''] = usedIds(desk, claims);
  return desk.store.create({ type: 'notice', id, index: {}, listing: '', body: '', expiresAt: claims.goodUntil });
}

const replayed = (desk: Desk) => refuse(desk, { fault: 'it was used before' }, undefined, 'Replayed');

/** Section 2.8. */
function refuse(desk: Desk, { fault }: LogoutFault, err?: Error, outcome: 'Refused' | 'Replayed' = 'Refused'): Answer {
  desk.metrics.providerLogouts.inc({ channel: 'Back', outcome });
  desk.log.info({ fault, ...(err && { err }) }, 'a logout token was refused');
  const said = { error: 'invalid_request', error_description: `logout_token: ${fault}` };
  return { kind: 'Json', status: 400, body: { title: 'Bad Request', status: 400, ...said }, cookies: [] };
}

function away(desk: Desk): Answer {
  desk.metrics.providerLogouts.inc({ channel: 'Back', outcome: 'Unavailable' });
  return page({ kind: 'ProviderUnavailable', retryAfterSeconds });
}
