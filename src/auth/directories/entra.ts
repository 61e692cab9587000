// Entra ID: a person's groups, nested ones too, by Microsoft Graph's transitiveMemberOf.
import { z } from 'zod';
import type { EntraDirectory } from '../../model/directory-settings.ts';
import { createBearer, givenToken } from './bearer.ts';
import { createCalls } from './calls.ts';
import type { Directory, Person } from './directory.ts';
import { DirectoryError } from './directory-error.ts';

const page = z.object({
  // Without the permission to read groups Graph tells ids alone, and null for names.
  value: z.array(z.object({ id: z.string(), displayName: z.string().nullish() })),
  '@odata.nextLink': z.string().optional(),
});

const objectId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function createEntraDirectory(settings: EntraDirectory, now: () => number): Directory {
  const { apiUrl, tokenUrl, tenant, clientId, clientSecret, groupNames } = settings;
  const calls = createCalls({ origins: [apiUrl, tokenUrl], now });
  const endpoint = new URL(`/${tenant}/oauth2/v2.0/token`, tokenUrl);
  const bearer = createBearer(async () => {
    const form = {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret.reveal(),
      scope: new URL('/.default', apiUrl).href,
    };
    return givenToken(await calls.ask(endpoint, { form }));
  }, now);

  const read = (body: unknown) => {
    const parsed = page.safeParse(body);
    if (!parsed.success) throw new DirectoryError('unavailable', 'Microsoft Graph answered something else than groups');
    const { value, '@odata.nextLink': link } = parsed.data;
    const next = link === undefined ? undefined : nextUrl(link);
    return { groups: value.map((group) => nameOf(group, groupNames)), next };
  };

  return {
    async groupsOf(person) {
      const first = new URL(`/v1.0/users/${oidOf(person)}/transitiveMemberOf/microsoft.graph.group`, apiUrl);
      first.search = '?$select=id,displayName&$top=999';
      return bearer.authorized((authorization) => calls.list(first, { authorization }, ({ body }) => read(body)));
    },
    close: () => calls.close(),
  };
}

/** `sub` is another for each application; `oid` is the person's id in the tenant. */
function oidOf({ claims: { oid } }: Person): string {
  if (typeof oid === 'string' && objectId.test(oid)) return oid;
  throw new DirectoryError('denied', 'the claim oid is missing: ask for the scope profile');
}

function nameOf(
  { id, displayName }: { id: string; displayName?: string | null | undefined },
  names: EntraDirectory['groupNames'],
) {
  if (names === 'Id') return id;
  if (displayName != null) return displayName;
  throw new DirectoryError('denied', 'Microsoft Graph tells no names of groups: GroupMember.Read.All is wanted');
}

function nextUrl(link: string): URL {
  const url = URL.parse(link);
  if (url === null) throw new DirectoryError('unavailable', 'Microsoft Graph named a next page that is no URL');
  return url;
}
