// Groups of a directory in a session, end to end: there at sign-in, gone within the interval, unknown when the directory is long away.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Redacted } from '../../src/model/diagnostic.ts';
import { startDirectoryServer } from './directories/server.ts';
import type { DirectoryServer } from './directories/server.ts';
import { startFakeProvider } from './fake-provider.ts';
import type { FakeProvider } from './fake-provider.ts';
import { appHost, assertArrived, createBrowser, createHouse, fullSession, sessionValue, visit } from './rig.ts';
import type { Browser, House } from './rig.ts';

const minute = 60_000;
// No multiple of the minute for which the data path keeps a session: it must come back for the groups.
const intervalMs = 10.5 * minute;
const url = `https://${appHost}/d/1`;

let provider: FakeProvider;
let directory: DirectoryServer;
let house: House;
let browser: Browser;
let groups: string[];

beforeEach(async () => {
  groups = ['on-call'];
  provider = await startFakeProvider();
  // What the provider says holds for the session's life: it is the directory that changes.
  provider.behaviour.answer = { refresh_token: undefined };
  directory = await startDirectoryServer(({ url: { pathname } }) =>
    pathname === '/api/v1/users/ana/groups'
      ? { status: 200, body: groups.map((name) => ({ profile: { name } })) }
      : undefined,
  );
  const credential = { type: 'Token', token: new Redacted('00secret') } as const;
  const okta = { type: 'Okta', apiUrl: directory.origin, credential, intervalMs } as const;
  house = createHouse({ providers: [{ ...provider.settings, directory: okta }] });
  browser = createBrowser(house, (at) => provider.authorize(at));
});
afterEach(async () => {
  await house.close();
  await provider.stop();
  await directory.stop();
});

const open = async () => {
  const opened = await house.authority.open(appHost, { kind: 'Cookie', value: sessionValue(browser, appHost) });
  assert(opened !== undefined && 'session' in opened);
  return opened;
};
const identity = async () => (await open()).session.identity;

test('groups of the token and of the directory are a person’s groups, and the session’s record holds the first alone', async () => {
  const opened = assertArrived(await visit(browser, url), url);
  assert.deepEqual(opened.session.identity.groups, ['engineering', 'on-call']);
  assert.equal(opened.session.identity.groupsUnknown, undefined);
  assert.deepEqual((await fullSession(browser)).session.identity.groups, ['engineering']);
});

test('a removed membership is gone within the interval, without another sign-in', async () => {
  const signedInAt = house.now();
  assertArrived(await visit(browser, url), url);
  groups = [];
  const calls = provider.calls.get('/token');
  // As the data path does: whatever was opened counts until `renewAt`, and is opened anew then.
  let { renewAt, session } = await open();
  while (session.identity.groups.includes('on-call')) {
    assert.ok(renewAt - signedInAt <= intervalMs + 5_000, 'still in the group, and the interval is over');
    house.clock.offsetMs += renewAt - house.now();
    ({ renewAt, session } = await open());
  }
  const tookMs = house.now() - signedInAt;
  assert.ok(tookMs <= intervalMs + 5_000, `took ${tookMs} ms`);
  assert.deepEqual(session.identity.groups, ['engineering']);
  assert.equal(provider.calls.get('/token'), calls, 'nobody signed in again');
});

test('sessions of one person ask once in an interval, whatever the number of requests', async () => {
  assertArrived(await visit(browser, url), url);
  for (let request = 0; request < 50; request += 1) await open();
  assert.equal(directory.asked.length, 1);
});

test('while the directory is away the last groups count for the grace, then nobody can tell', async () => {
  assertArrived(await visit(browser, url), url);
  directory.instead = () => ({ status: 503 });
  house.clock.offsetMs += intervalMs + minute;
  assert.deepEqual((await identity()).groups, ['engineering', 'on-call']);
  house.clock.offsetMs += house.settings.outageGraceMs;
  const { groups: known, groupsUnknown } = await identity();
  assert.deepEqual([known, groupsUnknown], [['engineering'], true]);
  directory.instead = undefined;
  house.clock.offsetMs += minute;
  assert.deepEqual(await identity(), { ...(await identity()), groups: ['engineering', 'on-call'] });
});

test('a directory that is away at sign-in keeps nobody out, and counts as unknown until it is asked again', async () => {
  directory.instead = () => ({ status: 503 });
  const opened = assertArrived(await visit(browser, url), url);
  assert.equal(opened.session.identity.groupsUnknown, true);
  assert.ok(opened.renewAt - house.now() <= 5_000, 'asked again soon');
  directory.instead = undefined;
  house.clock.offsetMs += 5_000;
  assert.deepEqual((await identity()).groups, ['engineering', 'on-call']);
});

test('the credential changes: the directory is asked with the new one', async () => {
  assertArrived(await visit(browser, url), url);
  const credential = { type: 'Token', token: new Redacted('00other') } as const;
  const okta = { type: 'Okta', apiUrl: directory.origin, credential, intervalMs } as const;
  const providers = [{ ...provider.settings, directory: okta }];
  house.authority.update({ class: house.settings, providers, keyRing: house.ring });
  await open();
  assert.equal(directory.asked.at(-1)?.headers.get('authorization'), 'SSWS 00other');
});
