// Every value on a page of ours is somebody's: a path, a name, a reason.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from '../../../src/model/page.ts';
import { renderHtml } from '../../../src/proxy/html.ts';
import { describePage } from '../../../src/proxy/pages.ts';
import { ana, session, withRig } from '../../proxy/rig.ts';

const evil = `"><script>alert(1)</script><img src=x onerror='a&b'>`;

test('a value is text on every page', () => {
  const identity = {
    ...ana,
    user: evil,
    email: evil,
    name: evil,
    groups: [evil],
    provider: evil,
    signedInAt: 0,
    expiresAt: 0,
  };
  const other = { id: evil, device: evil, address: evil, since: 0, lastUsed: 100_000, isThis: false };
  const sessions = [{ ...other, isThis: true }, other];
  const pages: Page[] = [
    { kind: 'BadRequest', detail: evil },
    { kind: 'Refused', person: evil, somebodyElse: evil },
    { kind: 'SignInNeeded', signIn: evil },
    { kind: 'SignInFailed', reason: 'Expired', startAgain: evil },
    { kind: 'SignedIn', goOn: evil },
    { kind: 'WhoAmI', identity, signOut: evil, sessions, endSessions: evil },
    { kind: 'ConfirmSignOut', person: evil, signOut: evil },
    { kind: 'SignedOut', signIn: evil },
  ];
  for (const page of pages)
    assert.doesNotMatch(renderHtml(describePage(page), evil), /<script|<img|onerror='/, page.kind);
});

test('and over the wire, under a policy that would run nothing', () =>
  withRig({}, async ({ get, authority }) => {
    authority.sessions.set('evil', session('s', { identity: { user: evil, groups: [], claims: {} } }));
    const answer = await get('/engineers', 'Cookie: __Host-sallyport=evil', 'Accept: text/html');
    assert.equal(answer.status, 403);
    assert.doesNotMatch(answer.body, /<script|<img/);
    assert.match(
      answer.header('content-security-policy') ?? '',
      /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    );
    assert.equal(answer.header('x-content-type-options'), 'nosniff');
  }));
