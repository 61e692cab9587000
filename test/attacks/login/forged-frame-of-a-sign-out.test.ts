// Signs somebody out by a frame, an image or a link to the place that a provider's sign-out page calls (OpenID Connect Front-Channel Logout 1.0).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { people } from '../../auth/logout-rig.ts';
import type { Browser } from './rig.ts';
import { appHost, authHost, createBrowser, visitOnce } from './rig.ts';
import type { OwnRequest } from '../../../src/auth/authority.ts';

const place = `https://${authHost}/oauth2/frontchannel-logout`;

function load(
  browser: Browser,
  parameters: readonly (readonly [string, string])[] = [],
  more: Partial<OwnRequest> = {},
) {
  const url = new URL(place);
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  return visitOnce(browser, url, { fetchDestination: 'iframe', fetchSite: 'cross-site', ...more });
}

test("the provider's frame ends the session that it names, with our cookie and without", async (t) => {
  const { provider, browsers, live, house } = await people(t);
  const named = (sid: string) => [['iss', provider.issuer] as const, ['sid', sid] as const];
  const answer = await load(browsers.ana, named('one'));
  assert.deepEqual(answer, {
    kind: 'Frame',
    url: answer.kind === 'Frame' ? answer.url : '',
    ancestors: [provider.issuer],
  });
  assert.equal(await live(), 'anaElsewhere eve');
  // As browsers do that keep other sites' cookies back.
  await load(createBrowser(house, provider.authorize), named('two'));
  assert.equal(await live(), 'eve');
});

test("without parameters it ends the browser's own session", async (t) => {
  const { browsers, live } = await people(t);
  await load(browsers.eve);
  assert.equal(await live(), 'ana anaElsewhere');
});

test('nothing else ends anything, and every answer is the same', async (t) => {
  const { provider, browsers, live, house } = await people(t);
  const stranger = createBrowser(house, provider.authorize);
  const iss = ['iss', provider.issuer] as const;
  const forged: Record<string, readonly [Browser, readonly (readonly [string, string])[], Partial<OwnRequest>?]> = {
    "somebody else's session": [browsers.eve, [iss, ['sid', 'one']]],
    'a session that is a guess': [stranger, [iss, ['sid', 'On']]],
    'a session of another issuer': [
      stranger,
      [
        ['iss', 'https://evil.example.org'],
        ['sid', 'one'],
      ],
    ],
    'an issuer with a slash more': [
      stranger,
      [
        ['iss', `${provider.issuer}/`],
        ['sid', 'one'],
      ],
    ],
    'an issuer alone': [browsers.ana, [iss]],
    'a session alone': [browsers.ana, [['sid', 'one']]],
    'two sessions': [browsers.ana, [iss, ['sid', 'one'], ['sid', 'two']]],
    'two issuers': [browsers.ana, [iss, ['iss', 'https://evil.example.org'], ['sid', 'one']]],
    'a link': [browsers.ana, [], { fetchDestination: 'document' }],
    'an image': [browsers.ana, [iss, ['sid', 'one']], { fetchDestination: 'image' }],
    'nobody there': [stranger, []],
  };
  const answers = new Set<string>();
  for (const [what, [browser, parameters, more]] of Object.entries(forged)) {
    const answer = await load(browser, parameters, more);
    assert(answer.kind === 'Frame', what);
    answers.add(JSON.stringify(answer.ancestors));
    assert.equal(await live(), 'ana anaElsewhere eve', what);
  }
  assert.equal(answers.size, 1);
});

test('a session of another provider is nothing that this one may end, whatever it calls its own', async (t) => {
  const { house, provider, live } = await people(t);
  const other = { ...provider.settings, name: 'other', issuer: 'https://other.example.org' };
  house.authority.update({ class: house.settings, providers: [provider.settings, other], keyRing: house.ring });
  await load(createBrowser(house, provider.authorize), [
    ['iss', other.issuer],
    ['sid', 'one'],
  ]);
  assert.equal(await live(), 'ana anaElsewhere eve');
});

test('with an authentication host there is no such place on any other', async (t) => {
  const { browsers, live } = await people(t);
  for (const path of ['/.sallyport/frontchannel-logout', '/.sallyport/backchannel-logout']) {
    const answer = await visitOnce(browsers.ana, new URL(`https://${appHost}${path}`), { fetchDestination: 'iframe' });
    assert(answer.kind === 'Page' && answer.page.kind === 'NoSuchPath', JSON.stringify(answer));
  }
  assert.equal(await live(), 'ana anaElsewhere eve');
});
