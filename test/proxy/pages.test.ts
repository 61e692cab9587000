// Every page of ours: its status, its two forms, and what a browser is told of it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Page } from '../../src/model/page.ts';
import { renderHtml, securityHeaders } from '../../src/proxy/html.ts';
import { describePage } from '../../src/proxy/pages.ts';
import { ana, withRig } from './rig.ts';

const identity = { user: ana.user, groups: ana.groups, provider: 'okta', signedInAt: 0, expiresAt: 0 };
const pages: readonly [Page, number][] = [
  [{ kind: 'BadRequest', detail: 'why' }, 400],
  [{ kind: 'NoSuchHost' }, 404],
  [{ kind: 'NoSuchPath' }, 404],
  [{ kind: 'MethodNotAllowed', allow: ['GET', 'POST'] }, 405],
  [{ kind: 'Refused' }, 403],
  [{ kind: 'Refused', person: 'ana', somebodyElse: '/x' }, 403],
  [{ kind: 'SignInNeeded', signIn: '/x' }, 401],
  [{ kind: 'SignInFailed', reason: 'Expired', startAgain: '/x' }, 400],
  [{ kind: 'SignedIn', goOn: '/x' }, 200],
  [{ kind: 'WhoAmI', identity, signOut: '/x' }, 200],
  [{ kind: 'ConfirmSignOut', person: 'ana', signOut: '/x' }, 200],
  [{ kind: 'SignedOut', signIn: '/x' }, 200],
  [{ kind: 'InsecureTransport' }, 403],
  [{ kind: 'NoProvider' }, 503],
  [{ kind: 'ProviderUnavailable', retryAfterSeconds: 3 }, 503],
  [{ kind: 'StoreUnavailable', retryAfterSeconds: 3 }, 503],
  [{ kind: 'UpstreamUnavailable', reason: 'NoEndpoints' }, 503],
  [{ kind: 'UpstreamUnavailable', reason: 'ConnectTimeout' }, 504],
  [{ kind: 'UpstreamUnavailable', reason: 'Reset' }, 502],
  [{ kind: 'InternalError' }, 500],
];

test('every page: status, form, cookies, headers', () =>
  withRig({ settings: { authenticationHost: 'auth.localhost' } }, async ({ get, authority }) => {
    for (const [page, status] of pages) {
      authority.answer = { kind: 'Page', page, cookies: ['__Host-sallyport=; Max-Age=0'] };
      const person = await get('/', 'Host: auth.localhost', 'Accept: text/html');
      assert.equal(person.status, status, page.kind);
      assert.equal(person.header('content-type'), 'text/html; charset=utf-8');
      assert.equal(person.header('cache-control'), 'no-store');
      assert.deepEqual(person.all('set-cookie'), ['__Host-sallyport=; Max-Age=0']);
      assert.ok(person.body.includes(person.header('x-request-id') ?? '-'));
      const program = await get('/', 'Host: auth.localhost', 'Sec-Fetch-Mode: cors', 'Accept: text/html');
      assert.equal(program.header('content-type'), 'application/problem+json');
      const problem = JSON.parse(program.body) as { status: number; requestId: string };
      assert.equal(problem.status, status);
      assert.equal(problem.requestId, program.header('x-request-id'));
      assert.equal(program.header('retry-after') !== undefined, 'retryAfterSeconds' in page);
      assert.equal(program.header('www-authenticate') !== undefined, status === 401);
      assert.equal(program.header('allow'), status === 405 ? 'GET, POST' : undefined);
    }
  }));

test('the one style is the one that the policy names, and there is no script', () => {
  for (const [page] of pages) {
    const html = renderHtml(describePage(page), 'id');
    const style = /<style>([^]*)<\/style>/.exec(html)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    assert.ok(securityHeaders(false)[1]?.includes(`'sha256-${hash}'`));
    assert.doesNotMatch(html, /<script|javascript:|https?:\/\/|\bon\w+=| style=/i);
  }
});

test('a page with a form may lead to the provider, and its post says where it came from', () => {
  // Chromium holds the redirect after a post to form-action; and no-referrer makes a form's Origin null.
  assert.doesNotMatch(securityHeaders(true).join(' '), /form-action/);
  assert.match(securityHeaders(true).join(' '), /Referrer-Policy same-origin/);
  assert.match(securityHeaders(false).join(' '), /form-action 'self'.*Referrer-Policy no-referrer/);
});

test('a signed-in page goes on by itself', () => {
  assert.match(
    renderHtml(describePage({ kind: 'SignedIn', goOn: '/a?b&c' }), 'id'),
    /<meta http-equiv="refresh" content="0;url=\/a\?b&amp;c">/,
  );
});
