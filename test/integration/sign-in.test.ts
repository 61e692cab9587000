// The main job over real sockets, with a real provider: sign in, be decided upon, be told to the application, sign out.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createClient, send } from './client.ts';
import { startRig, until } from './rig.ts';
import type { Rig } from './rig.ts';

let rig: Rig;
before(async () => {
  rig = await startRig();
});
after(() => rig.stop());

/** What the demo's mirror says of a request. */
interface Reflected {
  readonly assertion: { readonly verified: boolean; readonly claims: Record<string, unknown> };
  readonly headers: Record<string, unknown>;
}

async function signedIn(account: string, at = rig.url('app')) {
  const client = createClient();
  const page = await client.visit(at);
  assert.match(page.url.href, /\/interaction\//, 'the provider asks who it is');
  return { client, arrived: await client.signIn(page, account) };
}

test('a public host needs no sign-in, and its application hears of nobody', async () => {
  const answer = await createClient().visit(rig.url('welcome'));
  assert.equal(answer.status, 200);
});

test('a person signs in, comes back to the exact URL, and the application is told who it is', async () => {
  const asked = rig.url('app', '/deep/path/json?q=a%20b&empty=&x[]=1#');
  const { client, arrived } = await signedIn('account-ana', asked);
  assert.equal(arrived.status, 200);
  assert.equal(arrived.url.href, asked.replace('#', ''));
  const answer = await client.visit(rig.url('app', '/json'), { headers: { accept: 'application/json' } });
  const seen = JSON.parse(answer.body) as Reflected;
  assert.equal(seen.assertion.verified, true);
  assert.equal(seen.assertion.claims['email'], 'ana@example.com');
  assert.equal(seen.assertion.claims['aud'], 'app.localhost');
  assert.match(String(seen.assertion.claims['route']), /^\S+\/\S+ app\.localhost\/$/);
  assert.equal(seen.assertion.claims['request_id'], undefined, 'it serves other requests too');
  assert.deepEqual(seen.assertion.claims['groups'], ['engineering', 'staff']);
  assert.ok(!JSON.stringify(seen.headers).includes('__Host-sallyport'), 'no cookie of ours reaches the application');
});

test('PerRequest: the assertion names the request by the id that goes upstream and into the log', async () => {
  const own = await startRig({
    prepare: (text) => text.replace(/^( *)authenticationHost:/m, '$1identityHeaders: {assertion: PerRequest}\n$&'),
  });
  try {
    const client = createClient();
    await client.signIn(await client.visit(own.url('app')), 'account-ana');
    const ask = async () => {
      const { body } = await client.visit(own.url('app', '/json'));
      const { assertion, headers } = JSON.parse(body) as Reflected;
      assert.equal(assertion.verified, true);
      assert.equal(assertion.claims['request_id'], headers['x-request-id']);
      const line = own.log.find(({ msg, id }) => msg === 'request' && id === headers['x-request-id']);
      assert.equal(line?.['route'], assertion.claims['route']);
      return assertion.claims;
    };
    const [one, other] = [await ask(), await ask()];
    assert.notEqual(one['request_id'], other['request_id']);
    assert.notEqual(one['jti'], other['jti']);
  } finally {
    await own.stop();
  }
});

test('a second host needs no second sign-in page', async () => {
  const { client } = await signedIn('account-ana');
  const before = rig.provider.seen.authorization;
  const answer = await client.visit(rig.url('clock'));
  assert.equal(answer.status, 200);
  assert.equal(answer.url.hostname, 'clock.localhost');
  assert.equal(rig.provider.seen.authorization, before, 'the provider was not asked again');
});

test('a policy lets engineers in and refuses others, without asking them to sign in again', async () => {
  const ana = await signedIn('account-ana', rig.url('engineering'));
  assert.equal(ana.arrived.status, 200);
  const eve = await signedIn('account-eve', rig.url('engineering'));
  assert.equal(eve.arrived.status, 403);
  assert.match(eve.arrived.body, /eve@example\.org/);
});

test('a refused person chooses another account, and the provider does not sign the refused one in again unasked', async () => {
  const { client, arrived } = await signedIn('account-eve', rig.url('engineering', '/d/1?x=y'));
  assert.equal(arrived.status, 403);
  const link = /href="([^"]*account=other[^"]*)"/.exec(arrived.body)?.[1]?.replaceAll('&amp;', '&');
  assert.ok(link);
  const page = await client.visit(new URL(link, arrived.url));
  assert.match(page.url.href, /\/interaction\//, 'the provider asks who it is');
  const again = await client.signIn(page, 'account-ana');
  assert.equal(again.url.href, rig.url('engineering', '/d/1?x=y'));
  assert.equal(again.status, 200);
});

test('a program gets 401 with a challenge, never a redirect', async () => {
  const answer = await send(new URL(rig.url('app')), { headers: { accept: '*/*' } });
  assert.equal(answer.status, 401);
  assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer/);
  assert.equal(answer.headers.location, undefined);
});

test('a form posted without a session gets a page, not a redirect that loses it', async () => {
  const answer = await createClient().visit(rig.url('app', '/form'), { method: 'POST', body: 'a=1' });
  assert.equal(answer.status, 401);
  assert.match(answer.headers['content-type'] ?? '', /text\/html/);
});

test('a replayed callback and a replayed code end on a page, in a loop never', async () => {
  const { client } = await signedIn('account-ana');
  const provider = client.hops.find(({ pathname }) => pathname === '/oauth2/callback');
  const code = client.hops.find(
    ({ pathname, hostname }) => pathname === '/.sallyport/callback' && hostname === 'app.localhost',
  );
  assert.ok(provider && code);
  for (const url of [provider, code]) {
    for (const browser of [client, createClient()]) {
      const answer = await browser.visit(url);
      assert.equal(answer.url.href, url.href, 'it ends where it was asked for');
      assert.ok(answer.status >= 400, `${answer.status}`);
      assert.match(answer.body, /href="http:\/\/(app|auth)\.localhost/);
    }
  }
});

test('/.sallyport/ shows who I am, and no page of ours shows a token', async () => {
  const { client } = await signedIn('account-ana');
  const page = await client.visit(rig.url('app', '/.sallyport/'));
  assert.match(page.body, /ana@example\.com/);
  assert.match(page.body, /engineering/);
  const user = await client.visit(rig.url('app', '/.sallyport/user'));
  assert.equal((JSON.parse(user.body) as { email: string }).email, 'ana@example.com');
  for (const { body } of [page, user]) assert.doesNotMatch(body, /eyJ|[A-Za-z0-9_-]{60,}/);
});

test('signing out ends the session on every host, and at the provider', async () => {
  const { client } = await signedIn('account-ana');
  await client.visit(rig.url('clock'));
  const stolen = client.cookies.get('clock.localhost')?.get('__Host-sallyport');
  assert.ok(stolen);
  const out = await client.visit(rig.url('app', '/.sallyport/sign-out'), {
    method: 'POST',
    headers: { 'sec-fetch-site': 'same-origin' },
  });
  assert.ok(rig.provider.seen.endSession > 0, 'the provider was told');
  assert.ok(out.status === 200, `${out.status}`);
  const answer = await send(new URL(rig.url('clock')), {
    headers: { cookie: `__Host-sallyport=${stolen}`, accept: '*/*' },
  });
  assert.equal(answer.status, 401, 'the cookie of another host opens nothing any more');
  const asked = client.hops.find(({ pathname }) => pathname === '/session/end');
  assert.ok(asked);
  assert.ok(asked.searchParams.get('id_token_hint'));
  assert.equal(asked.searchParams.get('post_logout_redirect_uri'), rig.url('auth', '/.sallyport/signed-out'));
});

test('a stolen cookie of one host opens nothing on another, nor on the authentication host', async () => {
  const { client } = await signedIn('account-ana');
  const cookie = `__Host-sallyport=${client.cookies.get('app.localhost')?.get('__Host-sallyport')}`;
  const own = await send(new URL(rig.url('app')), { headers: { cookie, accept: '*/*' } });
  assert.equal(own.status, 200);
  for (const host of ['clock', 'engineering']) {
    const answer = await send(new URL(rig.url(host)), { headers: { cookie, accept: '*/*' } });
    assert.equal(answer.status, 401, host);
  }
  const who = await send(new URL(rig.url('auth', '/.sallyport/user')), { headers: { cookie } });
  assert.equal(who.status, 401);
});

test('without an authentication host each host signs in for itself; the issuer is as the class says', async () => {
  const alone = await startRig({
    prepare: (text) =>
      text.replaceAll(/^ *authenticationHost:.*$/gm, '  identityHeaders: {issuer: https://who.example.com}'),
  });
  try {
    const client = createClient();
    const page = await client.visit(alone.url('app', '/x?y=1'));
    const arrived = await client.signIn(page, 'account-ana');
    assert.equal(arrived.url.href, alone.url('app', '/x?y=1'));
    assert.equal(arrived.status, 200);
    const told = JSON.parse((await client.visit(alone.url('app', '/json'))).body) as {
      assertion: { claims: Record<string, unknown> };
    };
    assert.equal(told.assertion.claims['iss'], 'https://who.example.com');
    assert.ok(!client.hops.some(({ hostname }) => hostname === 'auth.localhost'));
  } finally {
    await alone.stop();
  }
});

test('a ring that is rotated in the folder signs nobody out, and fails no assertion', async () => {
  const keys = (step: string, input: string, ...flags: string[]) => {
    const command = join(import.meta.dirname, '../../bin/sallyport');
    return spawnSync(command, ['keys', step, ...flags], { encoding: 'utf8', input }).stdout;
  };
  let secret = keys('new', '', '--namespace', 'demo');
  const own = await startRig({ files: { 'keys.json': secret } });
  try {
    const client = createClient();
    await client.signIn(await client.visit(own.url('app')), 'account-ana');
    const published = async () => {
      const { body } = await client.visit(own.url('app', '/.well-known/sallyport/jwks.json'));
      return (JSON.parse(body) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
    };
    const change = async (step: string, ...flags: string[]) => {
      secret = keys(step, secret, ...flags);
      const before = (await published()).join();
      await own.edit('keys.json', () => secret);
      await until(async () => (await published()).join() !== before, 5_000, `the ring after ${step} is in use`);
      const { body } = await client.visit(own.url('app', '/json'));
      assert.equal((JSON.parse(body) as Reflected).assertion.verified, true, `after ${step}`);
    };
    const [old] = await published();
    await change('add');
    const [, fresh] = await published();
    await change('promote', '--now');
    assert.deepEqual(await published(), [fresh, old]);
  } finally {
    await own.stop();
  }
});
