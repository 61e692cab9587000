// Lends our name to a link that ends elsewhere (CVE-2020-5233, CVE-2020-11053, CVE-2020-4037, CVE-2024-21497; CVE-2021-29651: with a token).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appHost, bothWays, keepCookies, layGround, ownRequest, visit } from './rig.ts';

const spellings = [
  '//evil.example.org/',
  '///evil.example.org/',
  '/\\evil.example.org/',
  '\\\\evil.example.org/',
  '/\t/evil.example.org/',
  '\t//evil.example.org/',
  '/\n/evil.example.org/',
  ' //evil.example.org/',
  '/\0/evil.example.org/',
  '／／evil.example.org/',
  'https://evil.example.org/',
  'https:evil.example.org/',
  'HTTPS:\\\\evil.example.org/',
  'https://app.example.com@evil.example.org/',
  '.evil.example.org/',
  '@evil.example.org/',
  ':443@evil.example.org/',
  'javascript:alert(1)',
  'data:text/html,x',
  '%2f%2fevil.example.org/',
  '/%2f%2fevil.example.org/',
  '/%5cevil.example.org/',
  '/%09/evil.example.org/',
  '/x/..//evil.example.org/',
];

test('whatever is asked for, a sign-in ends on the host where it began', async (t) => {
  for (const withAuthenticationHost of bothWays) {
    const { house, victim } = await layGround(t, { withAuthenticationHost });
    for (const given of spellings) {
      for (const parameter of [encodeURIComponent(given), given]) {
        const url = new URL(`https://${appHost}/.sallyport/sign-in`);
        url.search = `?return=${parameter}`;
        const end = await visit(victim, url);
        assert.equal(new URL(end.url).host, appHost, `${JSON.stringify(given)} ended at ${end.url}`);
      }
    }
    assert.equal(
      victim.trail.some((url) => url.includes('//evil.example.org') && !url.includes('example.com')),
      false,
    );
    for (const answer of house.answers) {
      if (answer.kind === 'Redirect') assert.notEqual(new URL(answer.location).hostname, 'evil.example.org');
    }
  }
});

test('a path of the request itself that reads like a host stays a path', async (t) => {
  for (const withAuthenticationHost of bothWays) {
    const { house, victim } = await layGround(t, { withAuthenticationHost });
    const request = ownRequest(victim, new URL(`https://${appHost}/`));
    for (const path of ['//evil.example.org/', '/\\evil.example.org/', '///evil.example.org']) {
      const before = house.answers.length;
      victim.jar.clear();
      const started = await house.authority.signIn({ ...request, path });
      assert(started.kind === 'Redirect');
      keepCookies(victim, appHost, started.cookies);
      const end = await visit(victim, started.location);
      assert.equal(new URL(end.url).host, appHost);
      for (const answer of house.answers.slice(before)) {
        if (answer.kind === 'Redirect')
          assert.match(answer.location, /^(https:\/\/[a-z]+\.example\.com\/|http:\/\/localhost:)/);
      }
    }
  }
});
