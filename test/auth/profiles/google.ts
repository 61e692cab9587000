// Google: no groups, no place to sign out, and a refresh token only for who asks for offline access (developers.google.com/identity/openid-connect).
import type { Profile } from './profile.ts';

export const google: Profile = {
  heading: 'Google',
  issuer: '',
  metadata: {
    scopes_supported: ['openid', 'email', 'profile'],
    end_session_endpoint: undefined,
    authorization_response_iss_parameter_supported: undefined,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
  },
  claims: () => ({
    sub: '110248495921238986420',
    azp: 'fake',
    hd: 'example.com',
    email: 'ana@example.com',
    email_verified: true,
    groups: undefined,
  }),
  userinfo: () => ({ sub: '110248495921238986420', name: 'Ana' }),
  answer: ({ grant, authorization }) =>
    grant === 'refresh_token' || authorization.get('access_type') !== 'offline' ? { refresh_token: undefined } : {},
  rotates: false,
  asks: { scope: 'openid email profile', access_type: 'offline', prompt: 'consent select_account', hd: 'example.com' },
  person: { user: '110248495921238986420', email: 'ana@example.com' },
  signsOut: false,
};
