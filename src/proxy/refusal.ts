// What a refused person is told: who they are here, whom they may ask, and which rule it was only where its policy reveals it.
import { ownPrefix } from '../auth/authority.ts';
import type { Page } from '../model/page.ts';
import { explanationOf } from './decision.ts';
import type { Decided } from './decision.ts';

export function refusalOf(decided: Decided): Extract<Page, { kind: 'Refused' }> {
  const { route, facts, session } = decided;
  const { policies } = route.access;
  const cause = route.denied === undefined ? explanationOf(decided).cause : undefined;
  const refusing = policies.find(({ policy }) => policy.name === cause?.policy)?.policy;
  const own = policies.filter(({ attachment }) => attachment === 'Own').map(({ policy }) => policy);
  const { contact } = refusing ?? own.find((policy) => policy.contact !== undefined) ?? {};
  const rule = refusing?.reveal === true ? cause?.rule : undefined;
  const identity = session?.identity;
  // Signed out they would be let in again by a provider that remembers them, and refused again: so the provider is to ask.
  const somebodyElse = `${ownPrefix}sign-in?account=other&return=${encodeURIComponent(facts.path + facts.query)}`;
  return {
    kind: 'Refused',
    ...(identity && { person: identity.email ?? identity.user, somebodyElse }),
    ...(contact !== undefined && { contact }),
    ...(rule !== undefined && { rule }),
  };
}
