// Keycloak: roles of the realm within realm_access, its own session id, and rotation where the realm says so (keycloak.org/docs, Server Administration).
import type { Profile } from './profile.ts';

export const keycloak: Profile = {
  heading: 'Keycloak',
  issuer: '/realms/example',
  metadata: {
    scopes_supported: ['openid', 'email', 'profile', 'offline_access', 'roles', 'web-origins', 'acr', 'basic'],
    prompt_values_supported: ['none', 'login', 'consent', 'create'],
  },
  claims: (groups) => ({
    sub: '8b1c8f0e-0d6a-4f0e-9d55-0f2d3c9a6c11',
    sid: '5f5c',
    acr: '1',
    groups: undefined,
    realm_access: { roles: groups },
  }),
  userinfo: () => ({ sub: '8b1c8f0e-0d6a-4f0e-9d55-0f2d3c9a6c11', name: 'Ana' }),
  rotates: true,
  asks: { scope: 'openid email profile' },
  groups: ['engineering', 'admins'],
  person: { user: '8b1c8f0e-0d6a-4f0e-9d55-0f2d3c9a6c11', email: 'ana@example.com' },
  signsOut: true,
};
