// Front-channel logout at a real Keycloak, in a real browser: its page signs out, by a frame, whoever is signed in here.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../browser/chromium.ts';
import { send } from '../integration/client.ts';
import { until } from '../integration/rig.ts';
import { startKeycloakRig } from './rig.ts';
import type { KeycloakRig } from './rig.ts';

let rig: KeycloakRig;
let browser: Browser;
before(async () => {
  rig = await startKeycloakRig('front-channel', { clientId: 'sallyport-frontchannel' });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await rig?.stop();
});

test('a person who signs out on a page of Keycloak is signed out here, by the frame on that page', async () => {
  const page = await browser.newPage();
  await page.goto(rig.url('clock'));
  await page.fill('#username', 'ana');
  await page.fill('#password', 'demo');
  await page.click('#kc-login');
  await page.waitForURL(rig.url('clock'));
  const kept = (await page.context().cookies(rig.url('clock'))).find(({ name }) => name === '__Host-sallyport');
  const headers = { cookie: `__Host-sallyport=${kept?.value}`, accept: '*/*' };
  const isSignedIn = async () => (await send(new URL(rig.url('clock')), { headers })).status === 200;
  assert.equal(await isSignedIn(), true);
  await page.goto(`${rig.realm.issuer}/protocol/openid-connect/logout`);
  const framed = page.waitForResponse((response) => response.url().includes('/oauth2/frontchannel-logout'));
  await page.click('#kc-logout');
  const answer = await framed;
  assert.equal(answer.status(), 200);
  assert.match(answer.url(), /[?&]sid=/);
  await until(async () => !(await isSignedIn()), 10_000, 'her cookie opens nothing any more');
  await page.goto(rig.url('clock'));
  assert.equal(new URL(page.url()).origin, new URL(rig.realm.issuer).origin, 'Keycloak asks who it is');
});
