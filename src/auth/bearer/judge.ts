// A bearer token (RFC 6750): whose it is, if it is anybody's of ours, and what comes of it.
import { AuthorityError, isRefused } from '../authority.ts';
import type { BearerCredential } from '../authority.ts';
import { claimedIssuer, maxTokenBytes } from './access-token.ts';
import type { Judged } from './judged.ts';
import type { Programs } from './programs.ts';
import type { Workloads } from './workloads.ts';
import { withGroups } from '../session/current.ts';
import type { Desk } from '../desk.ts';
import type { Provider } from '../provider/provider.ts';
import { ProviderError } from '../provider/error.ts';
import { workloadProvider } from '../../model/identity.ts';

export interface BearerDesk {
  readonly provider: Desk['provider'];
  /** Absent: there is no cluster. */
  readonly workloads?: Workloads;
}

/**
 * Judges a token by whoever of the credential's providers it is from; `undefined`: it is from none of them. A JWT goes to
 * those that are its issuer, anything else to the first that is asked about tokens: no other ever sees it.
 * @throws {AuthorityError} where a provider or the cluster does not answer.
 */
export async function judgeBearer(desk: BearerDesk, credential: BearerCredential): Promise<Judged | undefined> {
  const { token, origin, providers } = credential;
  if (Buffer.byteLength(token) > maxTokenBytes) return undefined;
  const issuer = claimedIssuer(token);
  const taking = providers.flatMap((name) => programsOf(desk.provider(name)));
  try {
    if (issuer === undefined) {
      const asked = taking.find(({ programs }) => programs.introspects);
      return asked && (await withDirectory(desk, await asked.programs.judge(token)));
    }
    let refused: Judged | undefined;
    for (const { programs } of taking.filter((one) => one.issuer === issuer)) {
      const judged = await programs.judge(token);
      if (!isRefused(judged)) return await withDirectory(desk, judged);
      refused ??= judged;
    }
    if (refused !== undefined || desk.workloads === undefined || !providers.includes(workloadProvider)) return refused;
    return issuer === (await desk.workloads.issuer()) ? await desk.workloads.judge(token, origin) : undefined;
  } catch (error) {
    if (error instanceof ProviderError) throw new AuthorityError(error.message, { cause: error });
    throw error;
  }
}

/** A person's groups are those of the directory too, as in a session that began with a sign-in. */
async function withDirectory(desk: BearerDesk, judged: Judged): Promise<Judged> {
  if (isRefused(judged)) return judged;
  const { session, renewAt } = judged;
  const { sub } = session.identity.claims;
  if (typeof sub !== 'string') return judged;
  const { identity, renewAt: groupsUntil } = await withGroups(desk, session, sub);
  return { session: { ...session, identity }, renewAt: Math.min(renewAt, groupsUntil) };
}

function programsOf(provider: Provider | undefined): readonly { issuer: string; programs: Programs }[] {
  if (provider?.programs === undefined || provider.settings.kind !== 'OpenIDConnect') return [];
  return [{ issuer: provider.settings.issuer, programs: provider.programs }];
}
