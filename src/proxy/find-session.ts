// Who asks: the session of a cookie, else that of a bearer token that is for us.
import { AuthorityError, isRefused } from '../auth/authority.ts';
import type { Credential, RefusedToken } from '../auth/authority.ts';
import { workloadProvider } from '../model/identity.ts';
import type { Route } from '../model/route.ts';
import { ownCookies, sessionCookies } from './cookies.ts';
import { decide } from './decision.ts';
import type { Exchange } from './exchange.ts';
import { isInsecure } from './request.ts';
import type { CanonicalRequest } from './request.ts';
import type { FoundSession, Sessions } from './sessions.ts';

/** At most one of them. */
export interface Found {
  readonly found?: FoundSession;
  readonly refused?: RefusedToken;
  /** There is a credential, and whose it is cannot be told now. */
  readonly isAway?: true;
}

/** A cookie that opens a session wins: the Authorization header is then the application's. */
export async function findSession(
  sessions: Sessions,
  exchange: Exchange,
  asked: CanonicalRequest,
  route: Route,
): Promise<Found> {
  const { cookieName } = exchange.table.settings;
  const cookies = sessionCookies(ownCookies(asked.headers.get('cookie') ?? [], cookieName), cookieName);
  const bearer = bearerCredential(exchange, asked, route);
  const credentials: readonly Credential[] = [
    ...(route.providers.length === 0 ? [] : cookies.map((value) => ({ kind: 'Cookie', value }) as const)),
    ...(bearer === undefined ? [] : [bearer]),
  ];
  if (credentials.length === 0) return {};
  try {
    const found = await sessions.find(asked.host, credentials, route.providers);
    if (found === undefined) return {};
    if (isRefused(found)) return { refused: found };
    exchange.session = found.opened.session;
    return { found };
  } catch (error) {
    if (error instanceof AuthorityError) return { isAway: true };
    throw error;
  }
}

// RFC 6750, section 2.1, with the token68 of RFC 9110, section 11.2. Two such headers were refused before.
const bearerPattern = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

function bearerCredential(exchange: Exchange, asked: CanonicalRequest, route: Route): Credential | undefined {
  const token = bearerPattern.exec(asked.headers.get('authorization')?.[0] ?? '')?.[1];
  if (token === undefined) return undefined;
  const providers = route.workloads === true ? [...route.providers, workloadProvider] : route.providers;
  // Over plain http the token is everybody's by now.
  if (providers.length === 0 || isInsecure(asked)) return undefined;
  // Where nobody needs to say who they are, the header is the application's.
  if (decide(exchange.id, asked, route, undefined, Date.now()).verdict.decision === 'Allow') return undefined;
  return { kind: 'Bearer', token, origin: `${asked.scheme}://${asked.authority}`, providers };
}
