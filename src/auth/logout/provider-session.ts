// The provider's session ends, or ended: which sessions here it vouched for, and their end.
import type { Desk } from '../desk.ts';
import type { TokenSigner } from '../provider/provider.ts';
import { findSessions, isIndexed, ofIssuer } from '../session/find.ts';
import { openListing } from '../session/record.ts';
import type { StoredRecord } from '../../sessions/store.ts';

/** A signer, and the name of the IdentityProvider that it signs for. */
export interface NamedSigner extends TokenSigner {
  readonly name: string;
}

/** Two objects may name the same issuer, with a client each. */
export function signersOf(desk: Desk, issuer: string): readonly NamedSigner[] {
  return desk
    .providers()
    .flatMap(({ settings: { name }, signer }) =>
      signer !== undefined && hrefOf(signer.issuer) === hrefOf(issuer) ? [{ ...signer, name }] : [],
    );
}

// With a slash at the end or without: which of the two it is, the provider says, and `verify` knows.
const hrefOf = (issuer: string) => (URL.canParse(issuer) ? new URL(issuer).href : issuer);

/** Whom a provider speaks of: all sessions of somebody, or the one that has its session id. */
export interface SignedOutThere {
  readonly issuer: string;
  /** Names of the IdentityProviders that stand for the client it speaks to: what it says to another client is not about us. */
  readonly providers: readonly string[];
  readonly subject?: string;
  readonly providerSessionId?: string;
}

/** How many sessions ended. @throws {StoreError} */
export async function endProviderSessions(desk: Desk, of: SignedOutThere, channel: 'Back' | 'Front'): Promise<number> {
  const { store, ring, log } = desk;
  const found = await sessionsOf(desk, of);
  const ended = await Promise.all(
    found.map(async (record) => {
      if (!(await store.remove('session', record.id))) return 0;
      const { person, provider } = openListing(ring, record) ?? {};
      log.info({ person, provider, session: record.id.slice(0, 8), channel }, 'signed out at the identity provider');
      return 1;
    }),
  );
  return ended.reduce<number>((sum, one) => sum + one, 0);
}

async function sessionsOf({ store, ring }: Desk, of: SignedOutThere): Promise<readonly StoredRecord[]> {
  const { issuer, providers, subject, providerSessionId: sid } = of;
  const found =
    sid !== undefined
      ? await findSessions(store, ring, 'sid', ofIssuer(issuer, sid))
      : subject !== undefined
        ? await findSessions(store, ring, 'subject', ofIssuer(issuer, subject))
        : [];
  return found.filter(
    (record) =>
      providers.some((name) => isIndexed(record, ring, 'provider', name)) &&
      (subject === undefined || isIndexed(record, ring, 'subject', ofIssuer(issuer, subject))),
  );
}
