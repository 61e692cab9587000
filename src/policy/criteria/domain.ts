// domain: what follows the @ of the e-mail address.
import type { StringMatcher } from '../../model/matchers.ts';
import { compileText } from '../text.ts';
import { aboutPerson } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

export function compileDomain(matcher: StringMatcher, compiling: Compiling): Judge | undefined {
  const test = compileText(matcher, compiling);
  return (
    test &&
    aboutPerson(
      'domain',
      ({ email }, { now }) => test(domainOf(email), now),
      ({ email }) => domainOf(email),
    )
  );
}

/**
 * An address with a second @ has no domain: whichever side of it is taken, a provider that quotes carelessly could be made
 * to say it (CVE-2026-40574, `a@evil.example@example.com`).
 */
function domainOf(email: string | undefined): string | undefined {
  if (email === undefined) return undefined;
  const at = email.indexOf('@');
  if (at < 1 || at === email.length - 1 || at !== email.lastIndexOf('@')) return undefined;
  return email.slice(at + 1);
}
