// Okta: an id token that says little where a code is exchanged, the rest in userinfo; nobody in no group has the claim (developer.okta.com/docs/reference/api/oidc).
import type { Profile } from './profile.ts';

export const okta: Profile = {
  heading: 'Okta',
  issuer: '',
  metadata: {
    scopes_supported: ['openid', 'profile', 'email', 'address', 'phone', 'offline_access', 'groups'],
    authorization_response_iss_parameter_supported: undefined,
  },
  claims: () => ({
    sub: '00u1a2b3c4d5e6f7g8h9',
    ver: 1,
    amr: ['pwd', 'mfa', 'otp'],
    idp: '00o1',
    auth_time: 1_700_000_000,
    email: undefined,
    email_verified: undefined,
    groups: undefined,
  }),
  userinfo: (groups) => ({
    sub: '00u1a2b3c4d5e6f7g8h9',
    name: 'Ana',
    preferred_username: 'ana@example.com',
    email: 'ana@example.com',
    email_verified: true,
    ...(groups.length > 0 && { groups }),
  }),
  rotates: true,
  asks: { scope: 'openid email profile groups offline_access' },
  groups: ['Everyone', 'Admins'],
  person: { user: '00u1a2b3c4d5e6f7g8h9', email: 'ana@example.com' },
  signsOut: true,
};
