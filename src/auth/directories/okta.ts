// Okta: a person's groups by its users API, /api/v1/users/{id}/groups.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { OktaDirectory } from '../../model/directory-settings.ts';
import { createBearer, givenToken, signedJwt } from './bearer.ts';
import type { Bearer } from './bearer.ts';
import { createCalls } from './calls.ts';
import type { Calls } from './calls.ts';
import type { Directory, Person } from './directory.ts';
import { DirectoryError } from './directory-error.ts';
import { nextLink } from './next-link.ts';

const page = z.array(z.object({ profile: z.object({ name: z.string() }) }));

export function createOktaDirectory(settings: OktaDirectory, now: () => number): Directory {
  const { apiUrl } = settings;
  const calls = createCalls({ origins: [apiUrl], now });
  const bearer = bearerOf(settings, calls, now);
  return {
    async groupsOf(person) {
      const first = new URL(`/api/v1/users/${userOf(person)}/groups?limit=200`, apiUrl);
      return bearer.authorized((authorization) =>
        calls.list(first, { authorization }, ({ body, headers }) => {
          const read = page.safeParse(body);
          if (!read.success) throw new DirectoryError('unavailable', 'Okta answered something else than groups');
          return { groups: read.data.map(({ profile }) => profile.name), next: nextLink(headers) };
        }),
      );
    },
    close: () => calls.close(),
  };
}

function bearerOf({ apiUrl, credential }: OktaDirectory, calls: Calls, now: () => number): Bearer {
  if (credential.type === 'Token') {
    const authorization = `SSWS ${credential.token.reveal()}`;
    return { authorized: (use) => use(authorization) };
  }
  const endpoint = new URL('/oauth2/v1/token', apiUrl);
  const { clientId, key } = credential;
  return createBearer(async () => {
    const claims = { iss: clientId, sub: clientId, aud: endpoint.href, jti: randomUUID() };
    const form = {
      grant_type: 'client_credentials',
      scope: 'okta.users.read',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: signedJwt(key, claims, now()),
    };
    return givenToken(await calls.ask(endpoint, { form }));
  }, now);
}

/** `sub` of the organization's own server is the user's id; that of a custom one is the login, and the id is `uid`. */
function userOf({ subject, claims: { uid } }: Person): string {
  const user = typeof uid === 'string' ? uid : subject;
  // It becomes a part of a path: `..` would ask for something else.
  if (/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,254}$/.test(user)) return encodeURIComponent(user);
  throw new DirectoryError('denied', 'neither uid nor sub is an id or a login of Okta');
}
