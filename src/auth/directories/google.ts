// Google Workspace: a person's groups by the Admin SDK's Directory API, groups.list?userKey=.
import { z } from 'zod';
import type { GoogleDirectory } from '../../model/directory-settings.ts';
import { createBearer, givenToken, signedJwt } from './bearer.ts';
import { createCalls } from './calls.ts';
import type { Directory } from './directory.ts';
import { DirectoryError } from './directory-error.ts';

const scope = 'https://www.googleapis.com/auth/admin.directory.group.readonly';

const page = z.object({
  // Absent, and not empty, where there are none.
  groups: z.array(z.object({ email: z.string() })).optional(),
  nextPageToken: z.string().optional(),
});

/** Groups are told by their address, and are those the person is directly in. */
export function createGoogleDirectory(settings: GoogleDirectory, now: () => number): Directory {
  const { apiUrl, tokenUrl, serviceAccount, key, administrator } = settings;
  const calls = createCalls({ origins: [apiUrl, tokenUrl], now });
  const endpoint = new URL('/token', tokenUrl);
  const bearer = createBearer(async () => {
    const claims = {
      iss: serviceAccount,
      aud: endpoint.href,
      scope,
      ...(administrator !== undefined && { sub: administrator }),
    };
    const assertion = signedJwt(key, claims, now());
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
    return givenToken(await calls.ask(endpoint, { form }));
  }, now);

  const groupsOf = async (userKey: string, authorization: string) => {
    const first = new URL('/admin/directory/v1/groups', apiUrl);
    first.search = new URLSearchParams({ userKey, maxResults: '200' }).toString();
    return calls.list(first, { authorization }, ({ body }) => {
      const read = page.safeParse(body);
      if (!read.success) throw new DirectoryError('unavailable', `${first.host} answered something else than groups`);
      const { groups = [], nextPageToken } = read.data;
      return {
        groups: groups.map(({ email }) => email),
        ...(nextPageToken !== undefined && { next: withParameter(first, 'pageToken', nextPageToken) }),
      };
    });
  };

  return {
    async groupsOf({ email }) {
      // An address that nobody has verified could be anybody's: it names no one.
      if (email === undefined) return [];
      return bearer.authorized((authorization) => groupsOf(email, authorization));
    },
    close: () => calls.close(),
  };
}

function withParameter(url: URL, name: string, value: string): URL {
  const next = new URL(url);
  next.searchParams.set(name, value);
  return next;
}
