// Cognito: groups under cognito:groups, "true" as a text in userinfo, and a way of its own to sign out (docs.aws.amazon.com/cognito, userinfo-endpoint and logout-endpoint).
import type { Profile } from './profile.ts';

export const cognito: Profile = {
  heading: 'Cognito',
  issuer: '/eu-central-1_Ab1Cd2Ef3',
  metadata: {
    scopes_supported: ['openid', 'email', 'phone', 'profile'],
    authorization_response_iss_parameter_supported: undefined,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  },
  claims: (groups) => ({
    sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    'cognito:username': 'ana',
    token_use: 'id',
    groups: undefined,
    'cognito:groups': groups.length > 0 ? groups : undefined,
  }),
  userinfo: () => ({
    sub: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
    username: 'ana',
    email: 'ana@example.com',
    email_verified: 'true',
  }),
  rotates: false,
  asks: { scope: 'openid email profile' },
  groups: ['engineering', 'admins'],
  person: { user: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee', email: 'ana@example.com' },
  signsOut: false,
};
