// When an assertion is asked for, and which requests share one: over real sockets, against an `auth` that counts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthorityError } from '../../src/auth/authority.ts';
import type { Credential } from '../../src/auth/authority.ts';
import { createAssertions } from '../../src/proxy/assertions.ts';
import type { Admitted } from '../../src/proxy/assertions.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import type { ClassSettings } from '../../src/model/settings.ts';
import { brought, sentHeader, session, signedInAccess, withRig } from './rig.ts';
import type { Rig } from './rig.ts';

const cookie = 'Cookie: __Host-sallyport=good';
const name = 'x-sallyport-jwt-assertion';
const perRequest: ClassSettings['identityHeaders'] = { preset: 'Sallyport', assertion: 'PerRequest', claims: {} };

/** Each assertion is another one. */
function count({ authority }: Rig): void {
  authority.assert = (host, credential, { route, requestId }) => {
    authority.asserted.push({ route, ...(requestId !== undefined && { requestId }) });
    return Promise.resolve(
      `${authority.asserted.length} ${host} ${brought(credential)} ${route} ${requestId ?? ''}`.trim(),
    );
  };
}

test('requests of a session to a route share one assertion, those to another route have another', () =>
  withRig({}, async (rig) => {
    count(rig);
    for (const path of ['/private', '/private/x?y', '/engineers', '/private']) await rig.get(path, cookie);
    const one = '1 app.example.com good default/test app.example.com/private';
    const other = '2 app.example.com good default/test app.example.com/engineers';
    assert.deepEqual(
      rig.upstream.requests.map((request) => sentHeader(request, name)),
      [one, one, other, one],
    );
  }));

test('requests at once share one question', () =>
  withRig({}, async (rig) => {
    count(rig);
    await Promise.all(Array.from({ length: 20 }, () => rig.get('/private', cookie)));
    assert.equal(rig.upstream.requests.length, 20);
    assert.equal(rig.authority.asserted.length, 1);
  }));

test('a session that was opened again has an assertion made again', () => {
  let at = Date.now();
  return withRig({ proxy: { now: () => at } }, async (rig) => {
    count(rig);
    await rig.get('/private', cookie);
    rig.authority.sessions.set('good', session('session-good'));
    await rig.get('/private', cookie);
    assert.equal(rig.authority.asserted.length, 1);
    at += 61_000;
    await rig.get('/private', cookie);
    assert.equal(rig.authority.asserted.length, 2);
  });
});

test('PerRequest: each request has its own, about the id that is in X-Request-Id', () =>
  withRig({ settings: { identityHeaders: perRequest } }, async (rig) => {
    count(rig);
    await rig.get('/private', cookie);
    await rig.get('/private', cookie);
    const route = 'default/test app.example.com/private';
    const ids = rig.upstream.requests.map((request) => sentHeader(request, 'x-request-id') ?? '');
    assert.notEqual(ids[0], ids[1]);
    assert.deepEqual(
      rig.authority.asserted,
      ids.map((requestId) => ({ route, requestId })),
    );
  }));

test('nothing is asked for who is refused, for nobody, and under a preset without an assertion', async () => {
  await withRig({}, async ({ get, authority }) => {
    authority.sessions.set('eve', session('e', { identity: { user: 'eve', groups: [], claims: {} } }));
    assert.equal((await get('/engineers', 'Cookie: __Host-sallyport=eve')).status, 403);
    assert.equal((await get('/')).status, 200);
    assert.deepEqual(authority.asserted, []);
  });
  const identityHeaders = { ...perRequest, preset: 'OAuth2Proxy' } as const;
  await withRig({ settings: { identityHeaders } }, async ({ get, authority, upstream }) => {
    assert.equal((await get('/private', cookie)).status, 200);
    assert.equal(sentHeader(upstream.requests[0], 'x-auth-request-user'), 'u-ana');
    assert.deepEqual(authority.asserted, []);
  });
});

test('without an answer from auth nothing is forwarded: 503, and the next request asks again', () =>
  withRig({}, async ({ get, authority, upstream }) => {
    const { assert: answers } = authority;
    authority.assert = () => Promise.reject(new AuthorityError('away'));
    const answer = await get('/private', cookie);
    assert.equal(answer.status, 503);
    assert.equal(answer.header('retry-after'), '5');
    assert.equal(upstream.requests.length, 0);
    authority.assert = answers;
    assert.equal((await get('/private', cookie)).status, 200);
  }));

test('a session that ended between the decision and the assertion lets nobody in', () =>
  withRig({}, async ({ get, authority, upstream }) => {
    authority.assert = () => Promise.resolve(undefined);
    assert.equal((await get('/private', cookie)).status, 401);
    assert.equal(upstream.requests.length, 0);
  }));

test('what is kept is bounded, and an answer that never comes is given up', async () => {
  let asked = 0;
  const authority = {
    ...({} as Parameters<typeof createAssertions>[0]['authority']),
    assert: (_host: string, credential: Credential) => {
      asked += 1;
      return brought(credential) === 'silent' ? new Promise<string>(() => undefined) : Promise.resolve('a.b.c');
    },
  };
  const assertions = createAssertions({ authority, limit: 3, timeoutMs: 20 });
  const opened = session('s');
  const admitted = (path: string, value = 'cookie'): Admitted => ({
    found: { opened, credential: { kind: 'Cookie', value } },
    host: 'app.example.com',
    route: {
      id: path,
      ingress: { namespace: 'n', name: 'i' },
      path,
      match: 'Prefix',
      access: signedInAccess,
      providers: [],
    },
    requestId: 'r',
    settings: defaultClassSettings,
  });
  for (const path of ['/a', '/b', '/c', '/d', '/d', '/c', '/a']) await assertions.tell(admitted(path));
  assert.equal(asked, 5, '/a had to make room');
  assert.equal(await assertions.tell(admitted('/e', 'silent')), 'Unavailable');
});
