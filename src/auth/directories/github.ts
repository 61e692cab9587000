// GitHub: a person's organizations and teams, by GraphQL: one call an organization, with the current login checked in the same answer.
import { z } from 'zod';
import type { GitHubDirectory } from '../../model/directory-settings.ts';
import { createBearer, signedJwt } from './bearer.ts';
import type { Bearer, GivenToken } from './bearer.ts';
import { createCalls } from './calls.ts';
import type { Answer, Calls } from './calls.ts';
import type { Directory, Person } from './directory.ts';
import { DirectoryError } from './directory-error.ts';
import { untilReset } from './limits.ts';

// `organization` of a user is one that they belong to, or null.
const query = `query($login: String!, $organization: String!, $after: String) {
  user(login: $login) {
    databaseId
    organization(login: $organization) {
      login
      teams(first: 100, after: $after, userLogins: [$login]) { nodes { slug } pageInfo { hasNextPage endCursor } }
    }
  }
}`;

const graphqlAnswer = z.object({
  data: z
    .object({
      user: z
        .object({
          databaseId: z.number(),
          organization: z
            .object({
              login: z.string(),
              teams: z.object({
                nodes: z.array(z.object({ slug: z.string() })),
                pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullish() }),
              }),
            })
            .nullable(),
        })
        .nullable(),
    })
    .nullish(),
  errors: z.array(z.object({ type: z.string().optional() })).optional(),
});

const maxPages = 100;

export function createGitHubDirectory(settings: GitHubDirectory, now: () => number): Directory {
  const { apiUrl, restPath, graphqlPath, organizations, ca } = settings;
  const calls = createCalls({ origins: [apiUrl], now, ...(ca !== undefined && { ca }) });
  const bearers = new Map(organizations.map((name) => [name, bearerFor(settings, name, calls, now)]));

  const page = async (authorization: string, variables: Readonly<Record<string, string>>) => {
    const answer = await calls.ask(new URL(graphqlPath, apiUrl), { authorization, json: { query, variables } });
    return userIn(answer, now());
  };

  /** `undefined`: the login is no longer, or not this person's. */
  async function groupsIn(organization: string, login: string, id: number, authorization: string) {
    const groups: string[] = [];
    let after: string | undefined;
    for (let pages = 0; pages < maxPages; pages += 1) {
      const user = await page(authorization, { login, organization, ...(after !== undefined && { after }) });
      if (user?.databaseId !== id) return undefined;
      if (user.organization === null) return groups;
      const { login: name, teams } = user.organization;
      if (pages === 0) groups.push(name);
      groups.push(...teams.nodes.map(({ slug }) => `${name}/${slug}`));
      if (!teams.pageInfo.hasNextPage) return groups;
      after = teams.pageInfo.endCursor ?? undefined;
    }
    throw new DirectoryError('denied', `a person's teams fill over ${maxPages} pages`);
  }

  // A login can be changed and taken by somebody else; the id is for good.
  async function currentLogin(id: number, authorization: string): Promise<string | undefined> {
    const answer = await calls.ask(new URL(`${restPath}/user/${id}`, apiUrl), { authorization });
    const read = z.object({ login: z.string(), id: z.literal(id) }).safeParse(answer?.body);
    return read.success ? read.data.login : undefined;
  }

  return {
    async groupsOf(person) {
      const { id, login } = namesOf(person);
      const all = organizations.map((organization) =>
        (bearers.get(organization) as Bearer).authorized(async (authorization) => {
          const known = login && (await groupsIn(organization, login, id, authorization));
          if (known !== undefined && known !== '') return known;
          const current = await currentLogin(id, authorization);
          return (current && (await groupsIn(organization, current, id, authorization))) || [];
        }),
      );
      return (await Promise.all(all)).flat();
    },
    close: () => calls.close(),
  };
}

/** The subject of a GitHub provider is the id; other providers that speak for GitHub may tell the login alone, which is not believed. */
function namesOf({ subject, claims: { login } }: Person): { id: number; login?: string } {
  if (!/^[1-9]\d{0,14}$/.test(subject)) throw new DirectoryError('denied', 'the subject is not an id of GitHub');
  return { id: Number(subject), ...(typeof login === 'string' && { login }) };
}

function userIn(answer: Answer | undefined, now: number) {
  const read = graphqlAnswer.safeParse(answer?.body);
  if (!read.success || answer === undefined) {
    throw new DirectoryError('unavailable', 'GitHub answered something else than an organization');
  }
  const types = new Set((read.data.errors ?? []).map(({ type }) => type));
  // GraphQL answers 200 whatever happens.
  if (types.has('RATE_LIMITED')) {
    const retryAfterMs = untilReset(answer.headers, now) ?? 60_000;
    throw new DirectoryError('unavailable', 'GitHub was asked too often', { retryAfterMs });
  }
  if (types.has('FORBIDDEN') || types.has('INSUFFICIENT_SCOPES')) {
    throw new DirectoryError('denied', 'GitHub does not let us read members of an organization: read:org is wanted');
  }
  const isNobody = types.delete('NOT_FOUND');
  if (types.size > 0) throw new DirectoryError('unavailable', `GitHub failed: ${[...types].join(', ')}`);
  if (read.data.data == null && !isNobody) throw new DirectoryError('unavailable', 'GitHub answered without data');
  return read.data.data?.user ?? undefined;
}

const installationAnswer = z.object({ id: z.number().int() });
const installationToken = z.object({ token: z.string().min(1), expires_at: z.string() });

/** An app's token is for one organization: the one that installed it. */
function bearerFor(
  { apiUrl, restPath, credential }: GitHubDirectory,
  organization: string,
  calls: Calls,
  now: () => number,
): Bearer {
  if (credential.type === 'Token') {
    const authorization = `Bearer ${credential.token.reveal()}`;
    return { authorized: (use) => use(authorization) };
  }
  return createBearer(async (): Promise<GivenToken> => {
    const authorization = `Bearer ${signedJwt(credential.key, { iss: credential.appId }, now())}`;
    const found = await calls.ask(
      new URL(`${restPath}/orgs/${encodeURIComponent(organization)}/installation`, apiUrl),
      { authorization },
    );
    const installation = installationAnswer.safeParse(found?.body);
    if (!installation.success) throw new DirectoryError('denied', `the app is not installed in ${organization}`);
    const endpoint = new URL(`${restPath}/app/installations/${installation.data.id}/access_tokens`, apiUrl);
    // No more than is needed, whatever else the app may do.
    const given = installationToken.safeParse(
      (await calls.ask(endpoint, { authorization, json: { permissions: { members: 'read' } } }))?.body,
    );
    const expiresAt = Date.parse(given.data?.expires_at ?? '');
    if (!given.success || Number.isNaN(expiresAt)) throw new DirectoryError('unavailable', 'GitHub gave no token');
    return { token: given.data.token, lifetimeMs: expiresAt - now() };
  }, now);
}
