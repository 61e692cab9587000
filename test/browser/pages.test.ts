// Every page of ours as a person sees it: narrow and wide, light and dark, with a keyboard, a screen reader, and after signing out.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page, Response } from 'playwright-core';
import { demoAccounts, strengths } from '../../demo/accounts.ts';
import { listenOnLoopback, stopServer } from '../../demo/serving.ts';
import type { Page as OwnPage } from '../../src/model/page.ts';
import { send } from '../integration/client.ts';
import { startRig } from '../integration/rig.ts';
import type { Rig } from '../integration/rig.ts';
import { withRig } from '../proxy/rig.ts';
import { startBrowser } from './chromium.ts';

const root = join(import.meta.dirname, '../..');
const pictures = join(root, 'test-output/pages');
const axe = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

const longName = `Adolph ${'Wolfeschlegelsteinhausenbergerdorff'.repeat(4)}`;
const longEmail = `${'wolfeschlegelsteinhausen'.repeat(2)}@${'bergerdorff-welche-vor-altern.'.repeat(5)}example.com`;
const accounts = demoAccounts();
for (const [sub, groups] of [
  [
    'long',
    Array.from({ length: 60 }, (_, index) => `team-${index}${index % 9 === 0 ? '-of-the-platform'.repeat(3) : ''}`),
  ],
  ['anonymous', []],
] as const) {
  const isLong = sub === 'long';
  accounts.set(sub, {
    sub,
    email: isLong ? longEmail : 'nameless@example.com',
    emailVerified: true,
    name: isLong ? longName : '',
    preferredUsername: sub,
    groups,
  });
}

let browser: Browser;
let rig: Rig;
/** An application that hangs up on whoever asks, and what it was told of each request. */
let broken: Server;
const sentUpstream: (string | string[] | undefined)[] = [];
/** What the provider's token endpoint does instead of answering. */
let tokenEndpoint: 'Answers' | 'Lies' = 'Answers';

before(async () => {
  mkdirSync(pictures, { recursive: true });
  broken = createServer((request) => {
    sentUpstream.push(request.headers['x-request-id']);
    request.socket.destroy();
  });
  const brokenPort = await listenOnLoopback(broken, 0);
  rig = await startRig({
    files: { 'pages.yaml': extraManifests(brokenPort) },
    provider: {
      accounts,
      intercept: (request, response) => {
        if (request.url !== '/token' || tokenEndpoint === 'Answers') return false;
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ access_token: 'x', token_type: 'Bearer', id_token: 'e30.e30.e30' }));
        return true;
      },
    },
  });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await rig?.stop();
  await stopServer(broken);
});

/** Hosts that the demo does not have: each with what provokes one page. */
function extraManifests(brokenPort: number): string {
  const ingress = (name: string, service: string, annotation: string, path = '/') => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ${name}, namespace: demo, annotations: {sallyport.dev/${annotation}}}
spec:
  ingressClassName: sallyport
  rules:
    - host: ${name}.${name === 'plain' ? 'example.com' : 'localhost'}
      http: {paths: [{path: ${path}, pathType: Prefix, backend: {service: {name: ${service}, port: {number: 80}}}}]}
---`;
  return `${ingress('closed', 'mirror', 'policy: nowhere')}
${ingress('broken', 'broken', 'access: public')}
${ingress('narrow', 'mirror', 'access: public', '/only')}
${ingress('plain', 'mirror', 'access: authenticated')}
${ingress('away', 'mirror', 'policy: away')}
${ingress('contact', 'mirror', 'policy: contact')}
${ingress('either', 'mirror', 'policy: either')}
${ingress('strong', 'mirror', 'policy: strong')}
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: contact, namespace: demo}
spec:
  contact: "#wiki-help, or <img src=x onerror=alert(1)> wiki@example.com"
  reveal: true
  rules:
    - {name: readers, allow: {and: [{authenticatedUser: true}]}}
    - {name: nobody from elsewhere, deny: {not: [{email: {endsWith: "@example.com"}}]}}
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: away, namespace: demo}
spec: {identityProviderRef: {name: away}, rules: [{allow: {and: [{authenticatedUser: true}]}}]}
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: either, namespace: demo}
spec:
  identityProviderRefs: [{name: demo}, {name: away}]
  rules: [{allow: {and: [{authenticatedUser: true}]}}]
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: strong, namespace: demo}
spec: {rules: [{allow: {and: [{acr: {is: "${strengths.twoFactors}"}}]}}]}
---
apiVersion: sallyport.dev/v1alpha1
kind: IdentityProvider
metadata: {name: away}
spec:
  displayName: The company that was bought
  allowedNamespaces: {selector: {}}
  oidc:
    issuer: http://localhost:1
    clientID: sallyport
    clientSecretRef: {namespace: sallyport-system, name: demo-provider, key: clientSecret}
---
apiVersion: v1
kind: Service
metadata: {name: broken, namespace: demo}
spec: {ports: [{name: http, port: 80, targetPort: ${brokenPort}}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: broken, namespace: demo, labels: {kubernetes.io/service-name: broken}}
addressType: IPv4
ports: [{name: http, port: ${brokenPort}}]
endpoints: [{addresses: [127.0.0.1]}]
`;
}

/** A tab of a person with no cookies yet. */
async function newTab(options: BrowserContextOptions = {}): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  page.setDefaultTimeout(10_000);
  return page;
}

/** As of a program with this browser's cookies: a navigation would be signed in again by the provider, which knows this browser still. */
async function statusFor(page: Page): Promise<number> {
  const url = rig.url('app');
  const cookies = await page.context().cookies(url);
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  return (await send(new URL(url), { headers: { accept: 'application/json', cookie } })).status;
}

const newTabOf = (page: Page): Promise<Page> => page.context().newPage();

const iPhone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1';

/** What the browser was given for the page it shows in the end: `go` leads there. */
async function arrival(page: Page, go: () => Promise<unknown>): Promise<Response> {
  let last: Response | undefined;
  const note = (response: Response) => {
    if (response.request().isNavigationRequest() && response.status() !== 302 && response.status() !== 303)
      last = response;
  };
  page.on('response', note);
  await go();
  await page.waitForLoadState();
  page.off('response', note);
  assert.ok(last, 'a page came');
  return last;
}

async function visit(page: Page, url: string): Promise<Response> {
  return arrival(page, () => page.goto(url));
}

/** At the provider's page: chooses the account, and waits to be back at `back`. */
async function signIn(page: Page, url: string, email: string, back: string | RegExp = url): Promise<Response> {
  await page.goto(url);
  return arrival(page, async () => {
    await page.getByRole('button', { name: email }).click();
    await page.waitForURL(back);
  });
}

interface Expected {
  readonly status: number;
  readonly title: RegExp;
  /** Where requests are told of; absent: this one's own. */
  readonly log?: readonly Record<string, unknown>[];
}

/** Looks at the page that a tab shows, in all the ways that there are, and takes its pictures. */
async function look(name: string, response: Response, { status, title, log = rig.log }: Expected): Promise<void> {
  const page = response.frame().page();
  assert.equal(response.status(), status);
  assert.match(await page.innerText('h1'), title);
  const headers = await response.allHeaders();
  assert.match(headers['content-security-policy'] ?? '', /^default-src 'none'; style-src 'sha256-[^' ]+';/);
  assert.match(headers['content-security-policy'] ?? '', /frame-ancestors 'none'; base-uri 'none'$/);
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  const id = headers['x-request-id'] ?? '-';
  assert.equal(await page.innerText('footer code'), id);
  assert.ok(
    log.some((line) => line['id'] === id && line['status'] === status),
    'the log has the id',
  );
  await assertBones(page);
  const loaded: string[] = [];
  page.on('request', (request) => loaded.push(request.url()));
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [360, 1440]) {
      await page.setViewportSize({ width, height: width === 360 ? 740 : 900 });
      await assertFits(page, width);
      await page.screenshot({ path: join(pictures, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      await assertAccessible(page);
    }
  }
  await assertKeyboard(page);
  const resources = await page.evaluate<number>('performance.getEntriesByType("resource").length');
  assert.deepEqual([loaded, resources], [[], 0], 'nothing is loaded beside the page');
  await page.context().close();
}

/** Of what every page consists, whatever it says. */
async function assertBones(page: Page): Promise<void> {
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  const heading = await page.innerText('h1');
  assert.equal(await page.title(), `${heading.trim()} · Sallyport`);
  for (const one of ['h1', 'header', 'main', 'footer', 'header svg'])
    assert.equal(await page.locator(one).count(), 1, one);
  assert.equal(await page.locator('script, link, img, iframe, [style]').count(), 0);
}

async function assertFits(page: Page, width: number): Promise<void> {
  const wider = `[...document.querySelectorAll('body, body *')].filter((each) => {
    const { left, right } = each.getBoundingClientRect();
    return left < 0 || right > ${width} || each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0;
  }).map((each) => each.outerHTML.slice(0, 80))`;
  assert.deepEqual(await page.evaluate(wider), [], `nothing is wider than ${width} pixels`);
}

/** By the debugger's way in, which the page's policy does not rule: so it holds for the page as it was sent. */
async function assertAccessible(page: Page): Promise<void> {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const run = `(window.axe ? undefined : ${JSON.stringify(axe)})`;
  const script = await page.evaluate<string | undefined>(run);
  if (script !== undefined) await page.evaluate(script);
  const found = await page.evaluate<{ passes: number; violations: unknown[] }>(
    `axe.run({ runOnly: ${JSON.stringify(tags)} }).then(({ passes, violations }) => ({
      passes: passes.length,
      violations: violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => [html, failureSummary])]),
    }))`,
  );
  assert.deepEqual(found.violations, []);
  assert.ok(found.passes >= 10, 'axe has looked');
}

/** Every action is reached by the tab key, in sight, and large enough for a thumb (44 px: WCAG 2.2, 2.5.5). */
async function assertKeyboard(page: Page): Promise<void> {
  const actions = page.locator('a, button');
  for (let index = 0; index < (await actions.count()); index += 1) {
    await page.keyboard.press('Tab');
    const action = actions.nth(index);
    const [focused, outline] = await page.evaluate<[string, string]>(
      '[document.activeElement.textContent, getComputedStyle(document.activeElement).outline]',
    );
    assert.equal(focused, await action.textContent());
    assert.match(outline, /solid 3px/);
    assert.ok(((await action.boundingBox())?.height ?? 0) >= 44, 'at least 44 pixels tall');
  }
}

test('nothing here: no such host, and no such path', async () => {
  await look('no-such-host', await visit(await newTab(), rig.url('nobody')), { status: 404, title: /Nothing here/ });
  const narrow = await visit(await newTab(), rig.url('narrow', '/other'));
  await look('no-such-path', narrow, { status: 404, title: /Nothing here/ });
});

test('a request that has no canonical form', async () => {
  const response = await visit(await newTab(), rig.url('welcome', '/%00'));
  await look('bad-request', response, { status: 400, title: /cannot be read/ });
});

test('refused without a person, and nothing says which object is at fault', async () => {
  const response = await visit(await newTab(), rig.url('closed'));
  assert.doesNotMatch(await response.text(), /nowhere|policy|demo|ingress/i);
  await look('refused-nobody', response, { status: 403, title: /may not use this/ });
});

test('refused with a person, who may change account', async () => {
  for (const [name, email] of [
    ['refused', 'eve@example.org'],
    ['refused-long', longEmail],
  ] as const) {
    const response = await signIn(await newTab(), rig.url('engineering'), email);
    const page = response.frame().page();
    assert.ok((await page.innerText('main')).includes(email));
    assert.equal(await page.getByRole('link', { name: 'Sign in as somebody else' }).count(), 1);
    await look(name, response, { status: 403, title: /may not use this/ });
  }
});

test('refused by a policy that says whom to ask, and reveals its rule: both are text', async () => {
  const response = await signIn(await newTab(), rig.url('contact'), 'eve@example.org');
  const page = response.frame().page();
  assert.match(
    await page.innerText('main'),
    /Because\s+nobody from elsewhere\s+Whom to ask\s+#wiki-help, or <img src=x/,
  );
  assert.equal(await page.locator('img').count(), 0);
  await look('refused-contact', response, { status: 403, title: /may not use this/ });
});

test('an application that hangs up: the id on the page went upstream', async () => {
  const response = await visit(await newTab(), rig.url('broken'));
  assert.ok(sentUpstream.includes((await response.allHeaders())['x-request-id']));
  assert.doesNotMatch(await response.text(), /127\.0\.0\.1|demo/);
  await look('upstream-away', response, { status: 502, title: /does not answer/ });
});

test('a form that needs a sign-in first', async () => {
  const page = await newTab();
  await page.setContent(`<form method="post" action="${rig.url('app', '/write')}"><button>Send</button></form>`);
  const response = await arrival(page, async () => {
    await page.getByRole('button').click();
    await page.waitForURL(rig.url('app', '/write'));
  });
  await look('sign-in-needed', response, { status: 401, title: /Please sign in/ });
});

test('a sign-in that does not end well, for each of three reasons', async () => {
  const expired = await visit(await newTab(), rig.url('app', '/.sallyport/callback?flow=aaaaaaaa&code=none'));
  await look('sign-in-expired', expired, { status: 400, title: /has expired/ });

  const cancelling = await newTab();
  await cancelling.goto(rig.url('app'));
  const denied = await arrival(cancelling, async () => {
    await cancelling.locator('[name=cancel]').click();
    await cancelling.waitForURL(/oauth2\/callback/);
  });
  await look('sign-in-denied', denied, { status: 400, title: /were not signed in/ });

  tokenEndpoint = 'Lies';
  try {
    const invalid = await signIn(await newTab(), rig.url('app'), 'ana@example.com', /oauth2\/callback/);
    await look('sign-in-invalid', invalid, { status: 400, title: /were not signed in/ });
  } finally {
    tokenEndpoint = 'Answers';
  }
});

test('the provider is away', async () => {
  const response = await visit(await newTab(), rig.url('away'));
  assert.equal((await response.allHeaders())['retry-after'], '5');
  await look('provider-away', response, { status: 503, title: /not possible right now/ });
});

test('several providers: one is chosen, by keyboard, and remembered; one that is away leads back to the others', async () => {
  const page = await newTab();
  const choosing = await visit(page, rig.url('either'));
  await page.screenshot({ path: join(pictures, 'choose-provider.png'), fullPage: true });
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'ana@example.com' }).click();
  await page.waitForURL(rig.url('either'));
  // Signed out here alone: the provider knows them still, and it is gone to at once.
  await page.context().clearCookies({ name: '__Host-sallyport' });
  await page.goto(rig.url('either'));
  assert.equal(page.url(), rig.url('either'), 'not asked a second time');
  assert.equal(choosing.status(), 200);

  const other = await newTab();
  await visit(other, rig.url('either'));
  const away = await arrival(other, () => other.getByRole('link', { name: /that was bought/ }).click());
  assert.equal(await other.getByRole('link', { name: 'Sign in another way' }).count(), 1);
  await look('chosen-provider-away', away, { status: 503, title: /not possible right now/ });

  const looking = await newTab();
  await look('choose-provider', await visit(looking, rig.url('either')), { status: 200, title: /How do you want/ });
});

test('a sign-in that does not count here is told of, and nobody goes back and forth', async () => {
  const page = await newTab();
  await signIn(page, rig.url('app'), 'ana@example.com');
  const told = await visit(page, rig.url('away'));
  assert.match(await page.innerText('main'), /signed in as ana@example\.com with demo, which does not count here/);
  await look('sign-in-instead', told, { status: 200, title: /How do you want/ });
});

test('a stronger sign-in: asked for, brought, and not brought', async () => {
  const page = await newTab();
  await signIn(page, rig.url('app'), 'ana@example.com');
  await page.goto(rig.url('strong'));
  const weak = await arrival(page, () => page.getByRole('button', { name: 'ana@example.com' }).click());
  assert.equal(weak.status(), 400);
  const again = await newTabOf(page);
  await again.goto(rig.url('strong'));
  await again.getByLabel(/One-time code/).fill('123456');
  await again.getByRole('button', { name: 'ana@example.com' }).click();
  await again.waitForURL(rig.url('strong'));
  await look('sign-in-too-weak', weak, { status: 400, title: /more secure sign-in/ });
});

test('a protected host over plain http', async () => {
  // Through Sallyport as if it were a forward proxy: so a name comes to it that is not localhost.
  const page = await newTab({ proxy: { server: `http://127.0.0.1:${rig.port}` } });
  const response = await visit(page, 'http://plain.example.com/');
  await look('insecure-transport', response, { status: 403, title: /not encrypted/ });
});

test('nobody can sign in where no provider is named', async () => {
  const prepare = (text: string) => text.replace(/ {2}defaultIdentityProviderRef:\n {4}name: demo\n/, '');
  const bare = await startRig({ prepare });
  try {
    const response = await visit(await newTab(), bare.url('app'));
    await look('no-provider', response, { status: 503, title: /Nobody can sign in/, log: bare.log });
  } finally {
    await bare.stop();
  }
});

test('who am I, with one group, with none, and with sixty and a name of no end', async () => {
  for (const [name, email, title] of [
    ['who-am-i', 'bob@example.com', /^Bob$/],
    ['who-am-i-nameless', 'nameless@example.com', /nameless@example\.com/],
    ['who-am-i-long', longEmail, /^Adolph Wolfe/],
  ] as const) {
    const response = await signIn(await newTab(), rig.url('app', '/.sallyport/'), email);
    const groups = response.frame().page().locator('dl li');
    assert.equal(await groups.count(), { 'who-am-i': 1, 'who-am-i-nameless': 0, 'who-am-i-long': 60 }[name]);
    await look(name, response, { status: 203, title });
  }
});

test('where else somebody is signed in: one is ended there, then all', async () => {
  // Other tests have left sessions of hers behind.
  const before = await newTab();
  await signIn(before, rig.url('app', '/.sallyport/'), 'ana@example.com');
  const everywhere = before.getByRole('button', { name: 'Sign out everywhere' });
  if ((await everywhere.count()) > 0) {
    await everywhere.click();
    await before.waitForURL(/signed-out/);
  } else await before.getByRole('button', { name: 'Sign out' }).click();

  const phone = await newTab({ userAgent: iPhone });
  await signIn(phone, rig.url('app'), 'ana@example.com');
  const library = await newTab();
  await signIn(library, rig.url('app'), 'ana@example.com');
  const laptop = await newTab();
  await signIn(laptop, rig.url('app'), 'ana@example.com');
  const whoAmI = rig.url('app', '/.sallyport/');
  const shown = await newTabOf(laptop);
  const response = await visit(shown, whoAmI);
  assert.equal(await shown.locator('.entries li').count(), 3);
  assert.match(
    await shown.innerText('.entries li:first-child'),
    /^Chrome on Linux this one\s+Since .* UTC from 127\.0\.0\.1$/,
  );
  await shown.screenshot({ path: join(pictures, 'own-sessions.png'), fullPage: true });

  await shown.getByRole('button', { name: /^Sign out: Safari on iPhone, since / }).click();
  await shown.waitForURL(whoAmI);
  assert.equal(await shown.locator('.entries li').count(), 2);
  assert.equal(await statusFor(phone), 401);
  assert.equal(await statusFor(library), 200, 'the library goes on');

  await shown.getByRole('button', { name: 'Sign out everywhere' }).click();
  await shown.waitForURL(/signed-out/);
  for (const page of [library, laptop]) assert.equal(await statusFor(page), 401);
  assert.equal(response.status(), 203);

  const again = await newTab();
  await signIn(await newTab({ userAgent: iPhone }), rig.url('app'), 'ana@example.com');
  const looked = await signIn(again, whoAmI, 'ana@example.com');
  await look('who-am-i-elsewhere', looked, { status: 203, title: /^Ana/ });
});

test('asks before it signs out, and says so when it has', async () => {
  const page = await newTab();
  await signIn(page, rig.url('app'), 'ana@example.com');
  const other = await page.context().newPage();
  const signedOut = await arrival(other, async () => {
    await other.goto(rig.url('app', '/.sallyport/sign-out'));
    await other.getByRole('button').click();
    await other.waitForURL(/signed-out/);
  });
  await look('signed-out', signedOut, { status: 200, title: /are signed out/ });

  const long = await newTab();
  await signIn(long, rig.url('app'), longEmail);
  const confirm = await visit(long, rig.url('app', '/.sallyport/sign-out'));
  await look('confirm-sign-out', confirm, { status: 203, title: /Sign out\?/ });
});

/** What nothing here provokes from outside: through the data path all the same, with an `auth` that answers so. */
const rendered: readonly (readonly [string, OwnPage, number, RegExp])[] = [
  ['store-away', { kind: 'StoreUnavailable', retryAfterSeconds: 5 }, 503, /who you are/],
  ['internal-error', { kind: 'InternalError' }, 500, /went wrong/],
  ['method-not-allowed', { kind: 'MethodNotAllowed', allow: ['GET'] }, 405, /does not work/],
];

test('the store is away, a fault of ours, and a method that is not taken', () =>
  withRig({ settings: { authenticationHost: 'auth.localhost' } }, async ({ port, authority, lines }) => {
    for (const [name, page, status, title] of rendered) {
      authority.answer = { kind: 'Page', page, cookies: [] };
      const response = await visit(await newTab(), `http://auth.localhost:${port}/`);
      await look(name, response, { status, title, log: lines });
    }
  }));

// What the browser keeps of an application's pages is the application's affair: its Cache-Control passes as it is, and what
// was not kept is asked for anew, and refused. Chromium keeps even no-store pages alive that were left, for a while; signing
// out ends those of its host, but not what another host's /.sallyport/ showed in this same tab.
for (const backForwardCache of [false, true]) {
  const how = backForwardCache ? 'from the cache of pages that were left' : 'without such a cache';
  test(`after signing out, the back button shows nothing private of ours, ${how}`, async () => {
    const own = await startBrowser({ backForwardCache });
    try {
      const page = await (await own.newContext()).newPage();
      page.setDefaultTimeout(10_000);
      const whoAmI = rig.url('app', '/.sallyport/');
      await signIn(page, whoAmI, 'ana@example.com');
      assert.match(await page.innerText('main'), /ana@example\.com/);
      await page.goto(rig.url('app', '/.sallyport/sign-out'));
      assert.match(await page.innerText('main'), /ana@example\.com/);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.waitForURL(/signed-out/);
      await page.goBack();
      assert.equal(page.url(), rig.url('app', '/.sallyport/sign-out'));
      assert.equal(await page.innerText('h1'), 'You are signed out');
      assert.doesNotMatch(await page.content(), /ana@example\.com/);
      await page.goBack();
      // It was /.sallyport/, and is the provider's question who it is.
      await page.waitForURL(new RegExp(`:${rig.provider.port}/interaction/`));
    } finally {
      await own.close();
    }
  });
}

test('after signing out on one host, the back button shows nothing private of ours on the others', async () => {
  const own = await startBrowser({ backForwardCache: true });
  try {
    const page = await (await own.newContext()).newPage();
    page.setDefaultTimeout(10_000);
    await signIn(page, rig.url('app', '/.sallyport/'), 'ana@example.com');
    for (const url of [rig.url('clock', '/.sallyport/'), rig.url('clock', '/.sallyport/sign-out')]) {
      await page.goto(url);
      assert.match(await page.innerText('main'), /ana@example\.com/);
    }
    await page.goto(rig.url('auth', '/.sallyport/sign-out'));
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(/signed-out/);
    for (let step = 0; step < 4; step += 1) {
      await page.goBack();
      // Who is asked to sign in is shown the provider's question; whose accounts it offers is not ours to hide.
      const isOurs = !page.url().includes(`:${rig.provider.port}/`);
      if (isOurs) assert.doesNotMatch(await page.content(), /ana@example\.com/, page.url());
    }
  } finally {
    await own.close();
  }
});

// Were this to change in Chromium, the tests above would no longer show anything.
for (const status of [200, 203]) {
  test(`a page with status ${status} and no-store ${status === 200 ? 'is' : 'is not'} brought back`, async () => {
    const own = await startBrowser({ backForwardCache: true });
    let served = 0;
    const headers = {
      'content-type': 'text/html',
      'cache-control': 'no-store',
      // Without icon, as ours are.
      'content-security-policy': "default-src 'none'",
    };
    const server = createServer((request, response) => {
      if (request.url === '/page') served += 1;
      response.writeHead(status, headers).end('<p>A page</p>');
    });
    const port = await listenOnLoopback(server, 0);
    try {
      const page = await (await own.newContext()).newPage();
      await page.goto(`http://app.localhost:${port}/page`);
      await page.goto(`http://auth.localhost:${port}/other`);
      // A page that is brought back loads nothing, for which playwright waits.
      await page.goBack({ timeout: 3_000 }).catch(() => undefined);
      assert.equal(page.url(), `http://app.localhost:${port}/page`);
      assert.equal(served, status === 200 ? 1 : 2);
    } finally {
      await own.close();
      await stopServer(server);
    }
  });
}
