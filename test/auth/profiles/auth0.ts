// Auth0: an issuer that ends in a slash, and claims of one's own under the names of URLs (auth0.com/docs/secure/tokens/json-web-tokens/create-custom-claims).
import type { Profile } from './profile.ts';

export const auth0: Profile = {
  heading: 'Auth0',
  issuer: '/',
  metadata: {
    scopes_supported: [
      'openid',
      'profile',
      'offline_access',
      'name',
      'given_name',
      'family_name',
      'email',
      'email_verified',
    ],
    authorization_response_iss_parameter_supported: undefined,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  },
  claims: (groups) => ({
    sub: 'auth0|507f1f77bcf86cd799439011',
    sid: 'b1b2',
    groups: undefined,
    'https://example.com/groups': groups,
  }),
  userinfo: () => ({ sub: 'auth0|507f1f77bcf86cd799439011', name: 'Ana' }),
  rotates: true,
  asks: { scope: 'openid email profile offline_access' },
  groups: ['engineering', 'admins'],
  person: { user: 'auth0|507f1f77bcf86cd799439011', email: 'ana@example.com' },
  signsOut: true,
};
