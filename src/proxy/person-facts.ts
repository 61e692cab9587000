// What a page says of a person: who they are, and where they are signed in.
import type { OwnSession, PersonShown } from '../model/page.ts';
import { button } from './actions.ts';
import type { Fact, Section } from './pages.ts';

// In UTC and in words: without a script, nobody here knows the clock on the person's wall.
const moment = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });

const when = (ms: number): string => `${moment.format(ms)} UTC`;

export function personFacts(person: PersonShown): readonly Fact[] {
  return [
    ...(person.email === undefined ? [] : [['E-mail', person.email] as const]),
    ['Account', person.user],
    ...groupFacts(person),
    ['Signed in with', person.provider],
    ['Since', when(person.signedInAt)],
    ['Until', when(person.expiresAt)],
  ];
}

/** Whoever is refused for their groups sees here that it is us who do not know them. */
function groupFacts({ groups, groupsUnknown }: PersonShown): readonly Fact[] {
  const unknown = 'not known at the moment';
  if (groups.length === 0) return [['Groups', groupsUnknown === true ? unknown : 'none']];
  return [['Groups', groups], ...(groupsUnknown === true ? [['Other groups', unknown] as const] : [])];
}

/** A use that was noted at the sign-in itself says nothing. */
const soonMs = 60_000;

export function sessionSection(sessions: readonly OwnSession[], url: string): Section {
  return {
    title: 'Where you are signed in',
    entries: sessions.map(({ id, device, address, since, lastUsed, isThis }) => ({
      title: device,
      ...(isThis && { tag: 'this one' }),
      detail: [
        `Since ${when(since)}${address === undefined ? '' : ` from ${address}`}`,
        ...(lastUsed - since > soonMs && !isThis ? [`last used ${when(lastUsed)}`] : []),
      ].join(', '),
      // The page has a button for this one already.
      ...(!isThis && { action: button('Sign out', url, { fields: { id }, of: `${device}, since ${when(since)}` }) }),
    })),
    ...(sessions.length > 1 && { action: button('Sign out everywhere', url, { fields: { all: 'yes' } }) }),
  };
}
