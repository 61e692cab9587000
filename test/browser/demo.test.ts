// A person with a real browser: signs in, reads the page, opens the WebSocket, is refused, changes account, signs out.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { startBrowser } from './chromium.ts';
import { startRig, until } from '../integration/rig.ts';
import type { Rig } from '../integration/rig.ts';

const pictures = join(import.meta.dirname, '../../test-output');
let rig: Rig;
let browser: Browser;
before(async () => {
  mkdirSync(pictures, { recursive: true });
  rig = await startRig();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await rig?.stop();
});

async function newPerson(): Promise<Page> {
  const profile = await browser.newContext();
  const page = await profile.newPage();
  page.setDefaultTimeout(10_000);
  return page;
}

/** At the provider's page: chooses the account, and waits to be back. */
async function signIn(page: Page, email: string, back: string): Promise<void> {
  await page.waitForURL(/\/interaction\//);
  await page.getByText(email).first().click();
  const submit = page.locator('button[type=submit]:visible').first();
  await page.waitForTimeout(50);
  if (/\/interaction\//.test(page.url()) && (await submit.count()) > 0) await submit.click();
  await page.waitForURL(back);
}

const picture = (page: Page, name: string) => page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });

test('signs in, reads what the application was told, and the cookies are as promised', async () => {
  const page = await newPerson();
  const asked = rig.url('app', '/some/page?with=a%20query');
  await page.goto(asked);
  await signIn(page, 'ana@example.com', asked);
  await picture(page, 'application');
  assert.match(await page.content(), /ana@example\.com/);
  const cookies = await page.context().cookies(asked);
  const session = cookies.find(({ name }) => name === '__Host-sallyport');
  assert.ok(session, 'the session cookie is there');
  assert.deepEqual([session.secure, session.httpOnly, session.sameSite, session.path], [true, true, 'Lax', '/']);
  assert.ok(session.name.length + session.value.length <= 200);
  assert.ok(!cookies.some(({ name }) => name.includes('-flow-')), 'the flow cookie is gone');
});

test('the WebSocket and the event stream work, and know who it is', async () => {
  const page = await newPerson();
  await page.goto(rig.url('clock'));
  await signIn(page, 'ana@example.com', rig.url('clock'));
  const before = await page.innerText('body');
  await until(async () => (await page.innerText('body')) !== before, 5_000, 'the clock ticks');
  await page.locator('input[type=text], input:not([type])').first().fill('is anybody there');
  await page.keyboard.press('Enter');
  await page.getByText('is anybody there').first().waitFor();
  await page.getByText('ana@example.com').first().waitFor();
  await picture(page, 'clock');
});

test('eve is refused where engineers are wanted, and sees who she is', async () => {
  const page = await newPerson();
  await page.goto(rig.url('engineering'));
  await signIn(page, 'eve@example.org', rig.url('engineering'));
  await picture(page, 'refused');
  assert.match(await page.innerText('body'), /eve@example\.org/);
  await page.goto(rig.url('engineering', '/.sallyport/'));
  assert.match(await page.innerText('body'), /eve@example\.org/);
  await picture(page, 'who-am-i');
});

test('signs out here and at the provider, and is asked again', async () => {
  const page = await newPerson();
  await page.goto(rig.url('app'));
  await signIn(page, 'ana@example.com', rig.url('app'));
  await page.goto(rig.url('app', '/.sallyport/sign-out'));
  await picture(page, 'confirm-sign-out');
  await page.locator('button').first().click();
  await page.waitForURL(/signed-out/);
  await picture(page, 'signed-out');
  assert.equal((await page.context().cookies(rig.url('app'))).length, 0, 'no cookie of ours is left');
  await page.goto(rig.url('app'));
  await page.waitForURL(/\/interaction\//);
});

test('a WebSocket ends when its session does', async () => {
  const page = await newPerson();
  await page.goto(rig.url('clock'));
  await signIn(page, 'ana@example.com', rig.url('clock'));
  // As text: it runs in the page, whose globals this program does not have.
  const closed = page.evaluate(`new Promise((resolve) => {
    const socket = new WebSocket('/socket');
    socket.addEventListener('open', () => document.body.setAttribute('data-open', 'yes'));
    socket.addEventListener('close', () => resolve('closed'));
  })`);
  await page.waitForSelector('body[data-open=yes]');
  const other = await page.context().newPage();
  await other.goto(rig.url('clock', '/.sallyport/sign-out'));
  await other.locator('button').first().click();
  await other.waitForURL(/signed-out/);
  const timeout = new Promise((resolve) => void setTimeout(() => resolve('still open'), 1_500));
  assert.equal(await Promise.race([closed, timeout]), 'closed');
});
