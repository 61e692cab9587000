// Dex: groups of its connector in the id token, no place to sign out, and the person's name there within federated_claims (dexidp.io/docs/configuration/custom-scopes-claims-clients).
import type { Profile } from './profile.ts';

export const dex: Profile = {
  heading: 'Dex',
  issuer: '/dex',
  metadata: {
    scopes_supported: ['openid', 'email', 'groups', 'profile', 'offline_access'],
    end_session_endpoint: undefined,
    authorization_response_iss_parameter_supported: undefined,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  },
  claims: (groups) => ({
    sub: 'CgRhbmExEgRsZGFw',
    name: 'Ana',
    groups: groups.length > 0 ? groups : undefined,
    federated_claims: { connector_id: 'ldap', user_id: 'ana1' },
  }),
  userinfo: (groups) => ({ sub: 'CgRhbmExEgRsZGFw', name: 'Ana', ...(groups.length > 0 && { groups }) }),
  rotates: true,
  asks: { scope: 'openid email profile groups offline_access' },
  groups: ['engineering', 'admins'],
  person: { user: 'CgRhbmExEgRsZGFw', email: 'ana@example.com' },
  signsOut: false,
};
