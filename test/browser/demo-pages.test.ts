// The demo's own pages in a real browser, without Sallyport: a person signs in and out at the provider, and the clock ticks.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { after, before, test } from 'node:test';
import * as oidc from 'openid-client';
import type { Browser, Page } from 'playwright-core';
import { startApplications } from '../../demo/applications.ts';
import { demoClient, startProvider } from '../../demo/provider.ts';
import type { RunningProvider } from '../../demo/provider.ts';
import { listenOnLoopback, sendText, stopServer } from '../../demo/serving.ts';
import { startBrowser } from './chromium.ts';

let browser: Browser;
let provider: RunningProvider;
let client: Server;
let clientOrigin: string;

before(async () => {
  client = createServer((request, response) => sendText(response, 200, request.url ?? ''));
  clientOrigin = `http://auth.localhost:${await listenOnLoopback(client, 0)}`;
  provider = await startProvider({
    port: 0,
    redirectUris: [`${clientOrigin}/callback`],
    postLogoutRedirectUris: [`${clientOrigin}/signed-out`],
  });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await provider?.stop();
  await stopServer(client);
});

/** A tab of a person with no cookies yet, and what its console complains of: a refused style or script among it. */
async function newTab(): Promise<{ page: Page; complaints: string[] }> {
  const page = await (await browser.newContext()).newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    // The client of this test has no page, and so no icon either.
    if (message.type() === 'error' && !message.text().includes('favicon')) complaints.push(message.text());
  });
  return { page, complaints };
}

test('one click on a name signs in, and signing out with the id token needs none', async () => {
  const { clientId, clientSecret } = demoClient;
  const execute = [oidc.allowInsecureRequests];
  const configuration = await oidc.discovery(new URL(provider.issuer), clientId, clientSecret, undefined, { execute });
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const url = oidc.buildAuthorizationUrl(configuration, {
    redirect_uri: `${clientOrigin}/callback`,
    scope: 'openid email',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  const { page, complaints } = await newTab();
  await page.goto(url.href);
  await page.getByRole('button', { name: 'ana@example.com' }).click();
  await page.waitForURL(`${clientOrigin}/callback?**`);
  const tokens = await oidc.authorizationCodeGrant(configuration, new URL(page.url()), { pkceCodeVerifier });
  assert.equal(tokens.claims()?.['email'], 'ana@example.com');

  const signOut = oidc.buildEndSessionUrl(configuration, {
    id_token_hint: tokens.id_token ?? '',
    post_logout_redirect_uri: `${clientOrigin}/signed-out`,
  });
  await page.goto(signOut.href);
  await page.waitForURL(`${clientOrigin}/signed-out`);

  await page.goto(url.href);
  await page.getByRole('button', { name: 'bob@example.com' }).waitFor();
  assert.deepEqual(complaints, []);
});

test('somebody else signs in over the session of another person', async () => {
  const { page, complaints } = await newTab();
  const url = new URL(`${provider.issuer}/auth`);
  url.search = new URLSearchParams({
    client_id: demoClient.clientId,
    response_type: 'code',
    redirect_uri: `${clientOrigin}/callback`,
    scope: 'openid',
    prompt: 'select_account',
    code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()),
    code_challenge_method: 'S256',
  }).toString();
  for (const email of ['ana@example.com', 'bob@example.com']) {
    await page.goto(url.href);
    await page.getByRole('button', { name: email }).click();
    await page.waitForURL(`${clientOrigin}/callback?code=**`);
  }
  assert.deepEqual(complaints, []);
});

test("the clock's page ticks by both ways and shows what comes back from the WebSocket as text", async () => {
  const applications = await startApplications({ portBase: 0, jwksUrl: new URL('http://127.0.0.1:1/'), tickMs: 50 });
  try {
    const { page, complaints } = await newTab();
    await page.goto(`http://clock.localhost:${applications.clockPort}/`);
    for (const way of ['events', 'socket']) {
      await page.locator(`#${way}-state.open`).waitFor();
      await page.locator(`#${way}-time[datetime]`).waitFor();
    }
    await page.getByLabel('Message').fill('<b>hello</b>');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('nobody: <b>hello</b>').waitFor();
    assert.deepEqual(complaints, []);
  } finally {
    await applications.stop();
  }
});
