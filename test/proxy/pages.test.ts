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
  [{ kind: 'Refused', person: 'ana', contact: '#help', rule: 'staff' }, 403],
  [{ kind: 'SignInNeeded', signIn: '/x' }, 401],
  [{ kind: 'TokenRefused', reason: 'The token has expired.' }, 401],
  [{ kind: 'SignInFailed', reason: 'Expired', startAgain: '/x' }, 400],
  [{ kind: 'SignedIn', goOn: '/x' }, 200],
  [{ kind: 'WhoAmI', identity, signOut: '/x' }, 203],
  [{ kind: 'WhoAmI', identity, signOut: '/x', sessions: [], endSessions: '/y' }, 203],
  [{ kind: 'ConfirmSignOut', person: 'ana', signOut: '/x' }, 203],
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

test('what is said is for a person: no jargon, and nothing of which object is at fault', () => {
  for (const [page] of pages) {
    const { title, detail, advice = '' } = describePage(page);
    assert.doesNotMatch(
      `${title} ${detail} ${advice}`,
      /polic|ingress|upstream|session|provider|cluster|namespace|endpoint|instance|cookie|\bhttp\b/i,
    );
    if (page.kind.endsWith('Unavailable')) assert.match(advice, /try again/);
  }
});

test('who somebody is: as many groups as there are, markup of theirs as text, and a name that is empty is none', () => {
  const groups = ['<b>staff</b>', 'a, b'];
  const shown = { ...identity, groups, name: ' ', email: '"ana"@example.com' };
  const html = renderHtml(describePage({ kind: 'WhoAmI', identity: shown, signOut: '/x' }), 'id');
  assert.match(html, /<ul><li>&lt;b&gt;staff&lt;\/b&gt;<\/li><li>a, b<\/li><\/ul>/);
  assert.match(html, /<h1>&quot;ana&quot;<wbr>@example\.com<\/h1>/);
  assert.match(html, /<dd>1 January 1970 at 00:00 UTC<\/dd>/);
});

test('groups that are not known are no groups that there are not', () => {
  const shown = (groups: readonly string[], groupsUnknown?: true): string => {
    const person = { ...identity, groups, ...(groupsUnknown && { groupsUnknown }) };
    return renderHtml(describePage({ kind: 'WhoAmI', identity: person, signOut: '/x' }), 'id');
  };
  assert.match(shown([]), /<dt>Groups<\/dt><dd>none<\/dd>/);
  assert.match(shown([], true), /<dt>Groups<\/dt><dd>not known at the moment<\/dd>/);
  assert.match(shown(['staff'], true), /<li>staff<\/li>.*<dt>Other groups<\/dt><dd>not known at the moment<\/dd>/s);
  assert.doesNotMatch(shown(['staff']), /not known/);
});

test('a sign-out has the browser forget the pages of the host, and a sign-in does not', () =>
  withRig({ settings: { authenticationHost: 'auth.localhost' } }, async ({ get, send, authority }) => {
    authority.answer = { kind: 'Redirect', status: 303, location: '/x', cookies: [] };
    const signedOut = await send('POST / HTTP/1.1\r\nHost: auth.localhost\r\nContent-Length: 0\r\n\r\n');
    assert.equal(signedOut.header('clear-site-data'), '"cache"');
    const signedIn = await get('/', 'Host: auth.localhost');
    assert.deepEqual([signedIn.status, signedIn.header('clear-site-data')], [303, undefined]);
  }));
