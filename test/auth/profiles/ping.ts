// PingFederate: memberOf with the names of LDAP, a text where there is one group only, and no id token at a refresh unless its policy says so (docs.pingidentity.com, "Return ID Token On Refresh Grant").
import type { Profile } from './profile.ts';

/** As LDAP attributes come: nothing, one text, or a list. */
const attribute = (values: readonly string[]) => (values.length > 1 ? values : values[0]);

export const ping: Profile = {
  heading: 'PingFederate',
  issuer: '',
  metadata: {
    scopes_supported: ['openid', 'email', 'profile', 'phone', 'address'],
    authorization_response_iss_parameter_supported: undefined,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  },
  claims: () => ({ sub: 'ana', 'pi.sri': 'c1d2', email: undefined, email_verified: undefined, groups: undefined }),
  userinfo: (groups) => ({
    sub: 'ana',
    name: 'Ana',
    email: 'ana@example.com',
    email_verified: true,
    memberOf: attribute(groups),
  }),
  answer: ({ grant }) => (grant === 'refresh_token' ? { id_token: undefined } : {}),
  rotates: false,
  asks: { scope: 'openid email profile' },
  groups: ['CN=engineering,OU=Groups,DC=example,DC=com', 'CN=admins,OU=Groups,DC=example,DC=com'],
  person: { user: 'ana', email: 'ana@example.com' },
  signsOut: true,
};
