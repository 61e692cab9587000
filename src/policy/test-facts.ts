// The facts that a policy's own test is about.
import type { Identity } from '../model/identity.ts';
import type { PolicyTest } from '../model/policy.ts';
import type { Facts } from '../model/verdict.ts';

/** Of a test that does not say when: no policy that asks for a time gets this far. */
const someTime = Date.UTC(2026, 0, 1, 12);

/** GET / of example.com from 192.0.2.1 (RFC 5737, an address of nobody), unless the test says otherwise. */
export function factsOfTest({ as, request = {}, at }: Pick<PolicyTest, 'as' | 'request' | 'at'>): Facts {
  const { method = 'GET', path = '/', host = 'example.com', ip = '192.0.2.1', headers = {}, query = {} } = request;
  const now = at === undefined ? someTime : Date.parse(at);
  const search = new URLSearchParams(query).toString();
  return {
    ...(as && { identity: identityOf(as), session: sessionOf(as, now) }),
    method,
    host,
    path,
    query: search === '' ? '' : `?${search}`,
    headers: new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value]])),
    ip,
    now,
  };
}

type Person = NonNullable<PolicyTest['as']>;

function identityOf({ user, email, groups, claims, serviceAccount }: Person): Identity {
  return {
    user: user ?? email ?? serviceAccount ?? '',
    ...(email !== undefined && { email }),
    ...(serviceAccount !== undefined && { serviceAccount }),
    groups: groups ?? [],
    claims: claims ?? {},
  };
}

function sessionOf({ authenticatedAt, sessionStartedAt }: Person, now: number): NonNullable<Facts['session']> {
  return {
    provider: '',
    authenticatedAt: authenticatedAt === undefined ? now : Date.parse(authenticatedAt),
    startedAt: sessionStartedAt === undefined ? now : Date.parse(sessionStartedAt),
  };
}
