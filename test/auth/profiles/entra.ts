// Entra ID: groups by their ids, addresses that nobody says are verified, userinfo that adds nothing (learn.microsoft.com/entra/identity-platform/id-token-claims-reference).
import type { Profile } from './profile.ts';

export const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47';

export const entra: Profile = {
  heading: 'Entra ID',
  issuer: `/${tenant}/v2.0`,
  metadata: {
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    authorization_response_iss_parameter_supported: undefined,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
  },
  claims: (groups) => ({
    sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
    oid: '00000000-0000-0000-66f3-3332eca7ea81',
    tid: tenant,
    ver: '2.0',
    preferred_username: 'ana@example.com',
    email: 'ana@example.com',
    email_verified: undefined,
    groups: groups.length > 0 ? groups : undefined,
  }),
  userinfo: () => ({ sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ', name: 'Ana', email: 'ana@example.com' }),
  rotates: true,
  asks: { scope: 'openid email profile offline_access' },
  groups: ['02bd9fd6-8f93-4758-87c3-1fb73740a315', '6731de76-14a6-49ae-97bc-6eba6914391e'],
  person: { user: '00000000-0000-0000-66f3-3332eca7ea81', email: 'ana@example.com' },
  signsOut: true,
};

/** The same where people of several tenants sign in. */
export const entraTenants: Profile = {
  ...entra,
  heading: 'Entra ID, several tenants',
  issuer: '/{tenantid}/v2.0',
  person: { user: entra.person.user },
};
