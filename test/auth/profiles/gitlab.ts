// GitLab: all groups in userinfo alone, those that somebody is in directly in the id token (docs.gitlab.com/integration/openid_connect_provider).
import type { Profile } from './profile.ts';

export const gitlab: Profile = {
  heading: 'GitLab',
  issuer: '',
  metadata: {
    scopes_supported: ['api', 'read_user', 'openid', 'profile', 'email'],
    end_session_endpoint: undefined,
    authorization_response_iss_parameter_supported: undefined,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  },
  claims: (groups) => ({
    sub: '42',
    auth_time: 1_700_000_000,
    sub_legacy: 'd0ec',
    groups: undefined,
    groups_direct: groups.slice(0, 1),
  }),
  userinfo: (groups) => ({ sub: '42', name: 'Ana', nickname: 'ana', profile: 'https://gitlab.com/ana', groups }),
  rotates: true,
  asks: { scope: 'openid email profile' },
  groups: ['acme', 'acme/platform'],
  person: { user: '42', email: 'ana@example.com' },
  signsOut: false,
};
