// Words that the sessions of many people have in common, group names above all, each kept once.
import type { OpenedSession } from '../auth/authority.ts';

export interface Words {
  /** The same session, with its groups and the lists among its claims made of words that are kept already. */
  shared(opened: OpenedSession): OpenedSession;
}

/** Claims that are one and the same for most people of a provider. */
const alike: ReadonlySet<string> = new Set(['iss', 'aud', 'azp', 'acr', 'tid', 'hd', 'locale', 'zoneinfo']);

/** @param limit How many are kept; past it they are collected anew. */
export function createWords(limit: number): Words {
  const words = new Map<string, string>();

  function word(text: string): string {
    const known = words.get(text);
    if (known !== undefined) return known;
    if (words.size >= limit) words.clear();
    words.set(text, text);
    return text;
  }

  const list = (texts: readonly string[]): readonly string[] => texts.map(word);

  function claim(name: string, value: unknown, groups: readonly string[]): unknown {
    if (typeof value === 'string') return alike.has(name) ? word(value) : value;
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) return value;
    const shared = list(value);
    return shared.length === groups.length && shared.every((item, index) => item === groups[index]) ? groups : shared;
  }

  return {
    shared(opened) {
      const { session } = opened;
      const { identity } = session;
      const groups = list(identity.groups);
      const claims = Object.fromEntries(
        Object.entries(identity.claims).map(([name, value]) => [name, claim(name, value, groups)]),
      );
      return { ...opened, session: { ...session, identity: { ...identity, groups, claims } } };
    },
  };
}
