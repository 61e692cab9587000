// Presents one kind of proof where another is wanted: the cross-use matrix (CVE-2022-29226, CVE-2024-47616).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  asCookie,
  appHost,
  assertFailed,
  authHost,
  codeCallbackUrl,
  cookiesFor,
  copyOf,
  createBrowser,
  flowNames,
  fullSession,
  layGround,
  otherHost,
  providerCallbackUrl,
  sessionValue,
  visit,
  visitUntil,
} from './rig.ts';

test('nothing that proves something elsewhere opens a session, makes a code or finishes a sign-in', async (t) => {
  const { house, victim, provider } = await layGround(t);
  const end = await visit(victim, `https://${appHost}/`);
  assert(end.kind === 'Application');
  const { tokens, session } = await fullSession(victim);
  const abroad = createBrowser(house, provider.authorize);
  const code = (await visitUntil(copyOf(victim), `https://${otherHost}/`, codeCallbackUrl)).searchParams.get('code');
  const request = (await visitUntil(abroad, `https://${otherHost}/`, /request=/)).searchParams.get('request');
  const callback = await visitUntil(abroad, `https://${appHost}/x`, providerCallbackUrl);
  const valueOf = (host: string) => cookiesFor(abroad, host).get(flowNames(abroad, host)[0] ?? '')?.value ?? '';
  const record = house.watched.records.get(session.id);
  assert(record);
  const proofs: Record<string, string> = {
    'the id token': tokens.idToken,
    'the access token': tokens.accessToken,
    'the refresh token': tokens.refreshToken ?? '',
    'the assertion':
      (await house.authority.assert(appHost, asCookie(sessionValue(victim, appHost)), { route: 'r' })) ?? '',
    'a session id': session.id,
    "the application host's cookie": sessionValue(victim, appHost),
    "the authentication host's cookie": sessionValue(victim, authHost),
    'a one-time code': code ?? '',
    'a sealed request': request ?? '',
    'a state': callback.searchParams.get('state') ?? '',
    "an application host's flow cookie": valueOf(appHost),
    "the authentication host's flow cookie": valueOf(authHost),
    "a record's listing": record.listing,
    "a record's body": record.body,
    'an index value': record.index['person'] ?? '',
  };
  const { length } = house.watched.writes;
  const made = () => house.watched.writes.slice(length).filter((write) => write.startsWith('create'));
  for (const [name, proof] of Object.entries(proofs)) {
    assert.notEqual(proof, '', name);
    for (const [host, rightful] of [
      [appHost, "the application host's cookie"],
      [authHost, "the authentication host's cookie"],
    ] as const) {
      for (const value of [proof, `${session.id}.${proof}`]) {
        const opened = await house.authority.open(host, asCookie(value));
        assert.equal(opened !== undefined, name === rightful && value === proof, `${name} as a cookie of ${host}`);
      }
    }
    const attacker = createBrowser(house, provider.authorize);
    if (name !== 'a sealed request') {
      const url = `https://${authHost}/.sallyport/sign-in?request=${encodeURIComponent(proof)}`;
      assertFailed(await visit(attacker, url));
    }
    // As a flow cookie under the name of a flow, with a state and a code to go with it.
    for (const host of [appHost, authHost]) {
      if (host === authHost && name === "the authentication host's flow cookie") continue;
      const names = [...flowNames(abroad, host), '__Host-sallyport-flow-abcdefgh'];
      for (const flowName of names) {
        if (name === "an application host's flow cookie" && host === appHost && flowName === names[0]) continue;
        attacker.jar.clear();
        const held = { value: proof, sameSite: 'Lax', expiresAt: Number.POSITIVE_INFINITY };
        cookiesFor(attacker, host).set(flowName, held);
        const flow = flowName.slice(-8);
        const path =
          host === appHost
            ? `/.sallyport/callback?flow=${flow}&code=${code}`
            : `/oauth2/callback?state=${flow}.x&code=x`;
        assertFailed(await visit(attacker, `https://${host}${path}`));
      }
    }
  }
  assert.deepEqual(made(), []);
});
