// Who a person is at GitHub, asked of its REST API with their own token: account, verified address, organizations and teams.
import { z } from 'zod';
import { addressOf } from './claims.ts';
import type { Answer, Calls } from '../directories/calls.ts';
import { DirectoryError } from '../directories/directory-error.ts';
import { nextLink } from '../directories/next-link.ts';
import { ProviderError } from './error.ts';
import type { Identity } from '../../model/identity.ts';
import type { GitHubSettings } from '../../model/settings.ts';

export interface GitHubPerson {
  /** The id: a login can be changed, and taken by somebody else. */
  readonly subject: string;
  readonly identity: Identity;
}

const account = z.object({ id: z.int().positive(), login: z.string().min(1), name: z.string().nullish() });
const addresses = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }));
const organization = z.object({ login: z.string() });
const team = z.object({ slug: z.string(), organization });

/** @throws {DirectoryError}, and {@link ProviderError} `denied` for whom none of the organizations knows. */
export async function readPerson(settings: GitHubSettings, api: Calls, accessToken: string): Promise<GitHubPerson> {
  const how = { authorization: `Bearer ${accessToken}` };
  const at = (path: string) => new URL(`${settings.restPath}${path}`, settings.apiUrl);
  const [user, emails, organizations, teams] = await Promise.all([
    api.ask(at('/user'), how),
    // An app may do without the permission to read addresses: then there is none.
    api.ask(at('/user/emails?per_page=100'), how).catch(withoutAddresses),
    api.list(at('/user/orgs?per_page=100'), how, (answer) => page(answer, organization, ({ login }) => login)),
    api.list(at('/user/teams?per_page=100'), how, (answer) =>
      page(answer, team, ({ slug, organization: { login } }) => `${login}/${slug}`),
    ),
  ]);
  const { id, login, name } = read(account, user);
  const primary = emails && read(addresses, emails).find((one) => one.primary && one.verified);
  const email = addressOf(primary?.email);
  const groups = [...organizations, ...teams].filter((group) => isWanted(settings, group));
  if (settings.organizations.length > 0 && !organizations.some((one) => isWanted(settings, one))) {
    throw new ProviderError(
      'denied',
      `${login} (${id}) is in none of the organizations of IdentityProvider ${settings.name}`,
    );
  }
  const subject = String(id);
  return {
    subject,
    identity: {
      user: settings.userName === 'Login' ? login : subject,
      ...(email !== undefined && { email }),
      ...(name != null && { name }),
      groups,
      claims: {
        sub: subject,
        login,
        ...(name != null && { name }),
        ...(email !== undefined && { email, email_verified: true }),
      },
    },
  };
}

function isWanted({ organizations }: GitHubSettings, group: string): boolean {
  const [login = ''] = group.toLowerCase().split('/');
  return organizations.length === 0 || organizations.some((one) => one.toLowerCase() === login);
}

function page<T>(answer: Answer, schema: z.ZodType<T>, nameOf: (one: T) => string) {
  return { groups: read(z.array(schema), answer).map(nameOf), next: nextLink(answer.headers) };
}

function read<T>(schema: z.ZodType<T>, answer: Answer | undefined): T {
  const parsed = schema.safeParse(answer?.body);
  if (parsed.success) return parsed.data;
  throw new DirectoryError('unavailable', 'GitHub answered something else than expected');
}

function withoutAddresses(error: unknown): undefined {
  if (error instanceof DirectoryError && error.status === 403 && error.code === 'denied') return undefined;
  throw error;
}
