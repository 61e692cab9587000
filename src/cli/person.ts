// A person, as flags describe them.
import { UsageError } from './settings.ts';

export const personHelp = `  --group G             A group of theirs; may be repeated.
  --user U              The provider's name for them. [the e-mail address]
  --claim k=v           A claim of theirs, v as JSON or as text; one that is repeated becomes a list.
  --provider NAME       Where they signed in. [where the route has people sign in]
  --authenticated-at TIME   When they did, RFC 3339. [at the moment of the request]
  --service-account NS/NAME   Instead of a person: a workload of the cluster, with its own token.`;

export const personOptions = {
  group: { type: 'string', multiple: true },
  user: { type: 'string' },
  claim: { type: 'string', multiple: true },
  provider: { type: 'string' },
  'authenticated-at': { type: 'string' },
  'service-account': { type: 'string' },
} as const;

export interface PersonFlags {
  readonly group?: readonly string[] | undefined;
  readonly user?: string | undefined;
  readonly claim?: readonly string[] | undefined;
  readonly provider?: string | undefined;
  readonly 'authenticated-at'?: string | undefined;
  readonly 'service-account'?: string | undefined;
}

/** The person or the workload, for a question; undefined: nobody. @throws {UsageError} for what is said of nobody. */
export function readPerson(flag: string, email: string | undefined, flags: PersonFlags): object | undefined {
  const { group, user, claim, provider, 'service-account': serviceAccount } = flags;
  if (serviceAccount !== undefined) {
    if ([email, group, user, provider].some((said) => said !== undefined)) {
      throw new UsageError('--service-account is instead of a person: --claim and --authenticated-at go with it alone');
    }
  } else if (email === undefined && user === undefined) {
    const said = Object.keys(personOptions).find((name) => flags[name as keyof PersonFlags] !== undefined);
    if (said !== undefined)
      throw new UsageError(`--${said} is said of nobody: --${flag} EMAIL or --user U is wanted too`);
    return undefined;
  }
  return {
    ...(serviceAccount !== undefined && { serviceAccount }),
    ...(email !== undefined && { email }),
    ...(user !== undefined && { user }),
    ...(group && { groups: group }),
    ...(claim && { claims: readClaims(claim) }),
    ...(provider !== undefined && { provider }),
    ...(flags['authenticated-at'] !== undefined && { authenticatedAt: flags['authenticated-at'] }),
  };
}

function readClaims(texts: readonly string[]): Readonly<Record<string, unknown>> {
  const pairs = texts.map((text) => {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === '') throw new UsageError(`--claim: "${text}" is not a claim; wanted is one like team=core`);
    return { name, value: readValue(value) };
  });
  return Object.fromEntries(
    Map.groupBy(pairs, ({ name }) => name)
      .entries()
      .map(([name, all]) => [name, all.length === 1 ? all[0]?.value : all.map(({ value }) => value)]),
  );
}

/** `{"roles":["a"]}`, `true` and `7` are what they look like; anything else is text. */
function readValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
