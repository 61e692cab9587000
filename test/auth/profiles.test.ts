// Each manifest of docs/providers.md, tried at a provider that behaves as the real one's documentation says: sign in, refresh, lose a group, sign out.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { Redacted } from '../../src/model/diagnostic.ts';
import type { OidcSettings } from '../../src/model/settings.ts';
import { createProvider } from '../../src/auth/provider/provider.ts';
import { ProviderError } from '../../src/auth/provider/error.ts';
import { translate } from '../../src/translate/translate.ts';
import { createLogger } from '../../src/telemetry.ts';
import { inventoryOf } from '../translate/inventory.ts';
import { startFakeProvider } from './fake-provider.ts';
import type { FakeProvider } from './fake-provider.ts';
import { auth0 } from './profiles/auth0.ts';
import { cognito } from './profiles/cognito.ts';
import { dex } from './profiles/dex.ts';
import { entra, entraTenants, tenant } from './profiles/entra.ts';
import { gitlab } from './profiles/gitlab.ts';
import { google } from './profiles/google.ts';
import { keycloak } from './profiles/keycloak.ts';
import { okta } from './profiles/okta.ts';
import { ping } from './profiles/ping.ts';
import type { Asked, Profile } from './profiles/profile.ts';
import { signInAt } from './sign-in.ts';

const returnTo = 'https://auth.example.com/.sallyport/signed-out';

const page = readFileSync(join(import.meta.dirname, '../../docs/providers.md'), 'utf8');

/** The settings that a section's manifest means. */
function documented(heading: string): OidcSettings {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const [, manifest = ''] = /```yaml\n(.*?)```/s.exec(section) ?? [];
  const [, name = ''] = /clientSecretRef: \{namespace: sallyport-system, name: (\w+)/.exec(manifest) ?? [];
  const secret = `apiVersion: v1\nkind: Secret\nmetadata: {namespace: sallyport-system, name: ${name}}\nstringData: {clientSecret: x}`;
  const options = { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: true };
  const { authority, diagnostics } = translate(inventoryOf(`${manifest}\n---\n${secret}`), options, 0);
  assert.deepEqual(
    diagnostics.map(({ code }) => code),
    ['NothingServed'],
    'nothing is wrong with the provider',
  );
  const [settings] = authority.providers;
  assert(settings?.kind === 'OpenIDConnect', `docs/providers.md has a manifest for ${heading}`);
  return settings;
}

let fake: FakeProvider;
before(async () => {
  fake = await startFakeProvider();
});
after(() => fake.stop());
afterEach(() => {
  Object.assign(fake.behaviour, { metadata: {}, claims: {}, answer: {}, rotates: true, userinfo: {}, callback: {} });
  delete fake.behaviour.issuer;
  fake.calls.clear();
});

/** Lets the test provider be this one, and the person be in these groups. */
function behave(profile: Profile, groups: readonly string[], asked: Asked): void {
  const own = `${fake.issuer}${profile.issuer}`;
  Object.assign(fake.behaviour, {
    issuer: own,
    metadata: profile.metadata,
    claims: { ...profile.claims(groups), iss: own.replace('{tenantid}', tenant) },
    userinfo: profile.userinfo(groups),
    answer: profile.answer?.(asked) ?? {},
    rotates: profile.rotates,
    callback: 'authorization_response_iss_parameter_supported' in profile.metadata ? { iss: undefined } : {},
  });
}

/** What the documentation says, with the test provider's place, client and secret. */
function settingsFor({ heading }: Profile, more: Partial<OidcSettings> = {}): OidcSettings {
  const settings = documented(heading);
  return {
    ...settings,
    issuer: settings.issuer.replace(/^https:\/\/[^/]+/, fake.issuer),
    allowInsecure: true,
    clientId: 'fake',
    clientSecret: fake.settings.clientSecret ?? new Redacted(''),
    ...more,
  };
}

const at = Date.now();
const nothing = new URLSearchParams();

async function signIn(t: TestContext, profile: Profile, groups: readonly string[], settings = settingsFor(profile)) {
  behave(profile, groups, { grant: 'authorization_code', authorization: nothing });
  const provider = createProvider(settings, { log: createLogger('silent') });
  t.after(() => provider.close());
  const authorize = (url: URL) => {
    behave(profile, groups, { grant: 'authorization_code', authorization: url.searchParams });
    return fake.authorize(url);
  };
  return { provider, ...(await signInAt(provider, { authorize, at })) };
}

const profiles = [google, okta, entra, entraTenants, auth0, cognito, gitlab, dex, ping, keycloak];

describe('at a provider that behaves as', () => {
  for (const profile of profiles) {
    test(`${profile.heading}: somebody signs in, is refreshed, loses a group, and signs out`, async (t) => {
      const groups = profile.groups ?? [];
      const { provider, asked, signedIn } = await signIn(t, profile, groups);
      for (const [name, value] of Object.entries(profile.asks)) assert.equal(asked.get(name), value, name);
      const { identity, tokens } = signedIn;
      assert.deepEqual({ user: identity.user, email: identity.email }, { email: undefined, ...profile.person });
      assert.deepEqual(identity.groups, groups);
      assert.equal(signedIn.issuer, `${fake.issuer}${profile.issuer.replace('{tenantid}', tenant)}`);

      const refresh = async (left: readonly string[], last: typeof tokens) => {
        behave(profile, left, { grant: 'refresh_token', authorization: asked });
        return provider.refresh({ subject: signedIn.subject, identity, tokens: last }, at);
      };
      const second = await refresh(groups, tokens);
      assert.deepEqual([second.identity.user, second.identity.email], [identity.user, identity.email]);
      assert.deepEqual(second.identity.groups, groups);
      assert.equal(second.tokens.refreshToken !== tokens.refreshToken, profile.rotates);
      const third = await refresh(groups.slice(0, 1), second.tokens);
      assert.deepEqual(third.identity.groups, groups.slice(0, 1), 'a group that is gone is gone');
      const last = await refresh([], third.tokens);
      assert.deepEqual(last.identity.groups, [], 'and so is the last');

      const end = await provider.endSessionUrl({ identity, tokens: last.tokens }, returnTo, 'state');
      assert.equal(end !== undefined, profile.signsOut);
    });
  }

  test('every provider of the page', () => {
    const sections = page.split(/^## /m).filter((text) => text.includes('\n  oidc:\n'));
    const headings = sections.map((text) => text.split('\n', 1)[0]);
    assert.deepEqual(
      headings,
      profiles.map(({ heading }) => heading),
    );
  });
});

describe('quirks', () => {
  test('Google gives no refresh token to who does not ask for offline access', async (t) => {
    const { signedIn } = await signIn(t, google, [], settingsFor(google, { authorizationParameters: {} }));
    assert.equal(signedIn.tokens.refreshToken, undefined);
  });

  test('an address of Entra ID does not count unless the object says so', async (t) => {
    const { signedIn } = await signIn(t, entra, [], settingsFor(entra, { allowUnverifiedEmail: false }));
    assert.equal(signedIn.identity.email, undefined);
  });

  test('a tenant of Entra ID that is not listed is refused, and one that is none', async (t) => {
    const other = settingsFor(entraTenants, { tenants: ['2d4d3d8e-2be3-4bef-9f87-7875a61c29de'] });
    await assert.rejects(signIn(t, entraTenants, [], other), { code: 'denied' });
    for (const tid of [undefined, '', 'organizations', 7, `${tenant}/../x`]) {
      const odd = { ...entraTenants, claims: () => ({ ...entra.claims([]), tid }) };
      await assert.rejects(signIn(t, odd, []), { code: 'invalid' }, String(tid));
    }
  });

  test('a token that claims a listed tenant and is of another issuer is refused', async (t) => {
    const lying: Profile = { ...entraTenants, issuer: '/{tenantid}/v2.0' };
    const { signedIn } = await signIn(t, lying, []);
    assert.equal(signedIn.issuer, `${fake.issuer}/${tenant}/v2.0`);
    const forged = settingsFor(lying, { tenants: ['2d4d3d8e-2be3-4bef-9f87-7875a61c29de'] });
    const claims = () => ({ ...entra.claims([]), tid: '2d4d3d8e-2be3-4bef-9f87-7875a61c29de' });
    await assert.rejects(signIn(t, { ...lying, claims }, [], forged), { code: 'invalid' });
  });

  test('the issuer of many tenants is no issuer where none are listed, and one tenant needs no list', async (t) => {
    const { tenants: _tenants, ...unlisted } = settingsFor(entraTenants);
    await assert.rejects(signIn(t, entraTenants, [], unlisted), (error) => {
      assert(error instanceof ProviderError);
      return error.code === 'unavailable';
    });
    await assert.rejects(signIn(t, entra, [], settingsFor(entra, { tenants: [tenant] })), /leave oidc.tenants away/);
  });

  test('an issuer with a slash too much or too few is told what the provider calls itself', async (t) => {
    for (const [profile, wrong] of [
      [auth0, fake.issuer],
      [dex, `${fake.issuer}/dex/`],
    ] as const) {
      const said = JSON.stringify(`${fake.issuer}${profile.issuer}`);
      await assert.rejects(signIn(t, profile, [], settingsFor(profile, { issuer: wrong })), (error) => {
        assert(error instanceof ProviderError);
        assert(error.message.includes(`it calls itself ${said}`), error.message);
        return error.code === 'unavailable';
      });
    }
  });
});
