// Bearer tokens in the data path: when one is looked at, what the application sees of it, and what a program is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthorityError } from '../../src/auth/authority.ts';
import type { BearerCredential } from '../../src/auth/authority.ts';
import { workloadProvider } from '../../src/model/identity.ts';
import { brought, engineersAccess, publicAccess, sentHeader, session, signedInAccess, withRig } from './rig.ts';
import type { Rig, RigOptions } from './rig.ts';

const local = 'Host: app.localhost';
const bearer = (token: string) => `Authorization: Bearer ${token}`;
const hosts: RigOptions = {
  hosts: (to) => [
    {
      host: 'app.localhost',
      routes: [
        to('/engineers', engineersAccess),
        to('/private', signedInAccess),
        to('/workloads', signedInAccess, { providers: [], workloads: true }),
        to('/both', signedInAccess, { workloads: true }),
        to('/nobody', signedInAccess, { providers: [] }),
        to('/', publicAccess),
      ],
    },
  ],
};

/** Tokens are opened by name, `bad…` is refused, and what was asked is written down. */
function answer({ authority }: Rig): BearerCredential[] {
  const asked: BearerCredential[] = [];
  authority.open = (_host, credential) => {
    if (credential.kind === 'Bearer') asked.push(credential);
    const text = brought(credential);
    if (text.startsWith('bad')) return Promise.resolve({ refused: 'The token has expired.' });
    return Promise.resolve(authority.sessions.get(text));
  };
  return asked;
}

test('a token that is for us opens a session, is not forwarded, and is asked about once', () =>
  withRig(hosts, async (rig) => {
    const asked = answer(rig);
    for (let count = 0; count < 3; count += 1) {
      assert.equal((await rig.get('/engineers', local, bearer('good'))).status, 200);
    }
    assert.deepEqual(asked, [{ kind: 'Bearer', token: 'good', origin: `http://app.localhost`, providers: ['okta'] }]);
    const [request] = rig.upstream.requests;
    assert.equal(sentHeader(request, 'authorization'), undefined);
    assert.equal(sentHeader(request, 'x-sallyport-user'), 'u-ana');
    assert.equal(sentHeader(request, 'x-sallyport-jwt-assertion'), 'assertion-of-session-good');
    assert.equal(rig.lines.findLast(({ msg }) => msg === 'request')?.['user'], 'u-ana');
  }));

test('no spelling of the header reaches the application beside a token that was taken', () =>
  withRig(hosts, async (rig) => {
    answer(rig);
    assert.equal((await rig.get('/private', local, 'authorization: bearer  good')).status, 200);
    assert.doesNotMatch(rig.upstream.requests[0] ?? '', /authorization|bearer/i);
  }));

test('the origin has the port that the client named', () =>
  withRig(hosts, async (rig) => {
    const asked = answer(rig);
    await rig.get('/private', `Host: app.localhost:${rig.port}`, bearer('good'));
    assert.equal(asked[0]?.origin, `http://app.localhost:${rig.port}`);
  }));

test("a cookie that opens a session wins, and the header is the application's", () =>
  withRig(hosts, async (rig) => {
    const asked = answer(rig);
    const cookie = 'Cookie: __Host-sallyport=good';
    assert.equal((await rig.get('/private', local, cookie, bearer('bad'))).status, 200);
    assert.equal(sentHeader(rig.upstream.requests[0], 'authorization'), 'Bearer bad');
    assert.deepEqual(asked, []);
    const ended = await rig.get('/private', local, 'Cookie: __Host-sallyport=ended', bearer('good'));
    assert.equal(ended.status, 200, 'a cookie that opens nothing is no obstacle');
  }));

test('where nobody needs to say who they are, the header passes and nobody is asked', () =>
  withRig(hosts, async (rig) => {
    const asked = answer(rig);
    assert.equal((await rig.get('/', local, bearer('bad'))).status, 200);
    assert.equal(sentHeader(rig.upstream.requests[0], 'authorization'), 'Bearer bad');
    assert.deepEqual(asked, []);
  }));

test('a token that is ours and not good: 401 with the reason, however the program looks, and nothing is forwarded', () =>
  withRig(hosts, async (rig) => {
    answer(rig);
    const looks = [
      [],
      ['Accept: text/html'],
      ['Sec-Fetch-Mode: navigate', 'Accept: text/html'],
      ['Connection: Upgrade', 'Upgrade: websocket'],
    ];
    for (const path of ['/private', '/workloads', '/both']) {
      for (const look of looks) {
        const refused = await rig.get(path, local, bearer('bad'), ...look);
        assert.equal(refused.status, 401);
        assert.equal(
          refused.header('www-authenticate'),
          'Bearer realm="app.localhost", error="invalid_token", error_description="The token has expired."',
        );
        assert.equal(refused.header('location'), undefined);
      }
    }
    assert.equal(rig.upstream.requests.length, 0);
    assert.equal(rig.authority.signIns.length, 0);
  }));

test('a token that is nobody’s counts as nothing, and so does what is no bearer token', () =>
  withRig(hosts, async (rig) => {
    const asked = answer(rig);
    const answers = await Promise.all(
      ['Bearer unknown', 'Bearer', 'Bearer a b', 'Bearer good, Bearer good', 'Basic good', 'Bearer göod'].map((value) =>
        rig.get('/private', local, `Authorization: ${value}`),
      ),
    );
    for (const one of answers) {
      assert.equal(one.status, 401);
      assert.equal(one.header('www-authenticate'), 'Bearer realm="app.localhost"');
    }
    assert.deepEqual(
      asked.map(({ token }) => token),
      ['unknown'],
    );
    const twice = await rig.get('/private', local, bearer('good'), bearer('good'));
    assert.equal(twice.status, 400);
    assert.equal(rig.upstream.requests.length, 0);
  }));

test('workloads are considered where the route says so alone, and nobody where there is no provider', () =>
  withRig(hosts, async (rig) => {
    const asked = answer(rig);
    rig.authority.sessions.set('pod', session('pod', { provider: workloadProvider }));
    assert.equal((await rig.get('/workloads', local, bearer('pod'))).status, 200);
    assert.equal((await rig.get('/both', local, bearer('pod'))).status, 200);
    // `auth` would not open it: the data path holds to that by itself.
    assert.equal((await rig.get('/private', local, bearer('pod'))).status, 401);
    assert.deepEqual(
      asked.map(({ providers }) => providers),
      [[workloadProvider], ['okta', workloadProvider], ['okta']],
    );
    assert.equal((await rig.get('/nobody', local, bearer('good'))).status, 503);
    assert.equal(asked.length, 3);
    // A workload without its token is told what is wanted, a person that nobody can sign in here.
    assert.equal((await rig.get('/workloads', local)).status, 401);
    assert.equal((await rig.get('/workloads', local, 'Accept: text/html')).status, 503);
  }));

test('a session of another provider does not count, and a token is no cookie', () =>
  withRig(hosts, async (rig) => {
    answer(rig);
    rig.authority.sessions.set('foreign', session('foreign', { provider: 'google' }));
    assert.equal((await rig.get('/private', local, bearer('foreign'))).status, 401);
    // One text, two kinds: what is remembered of the one says nothing of the other.
    rig.authority.open = (_host, credential) =>
      Promise.resolve(credential.kind === 'Bearer' ? session('s') : undefined);
    assert.equal((await rig.get('/private', local, bearer('x'))).status, 200);
    assert.equal((await rig.get('/private', local, 'Cookie: __Host-sallyport=x')).status, 401);
  }));

test('over plain http from elsewhere no token is looked at', () =>
  withRig({}, async (rig) => {
    const asked = answer(rig);
    assert.equal((await rig.get('/private', bearer('good'))).status, 403);
    assert.deepEqual(asked, []);
  }));

test('where it cannot be told whose a token is: 503 with Retry-After, and nothing is forwarded', () =>
  withRig(hosts, async (rig) => {
    rig.authority.open = () => Promise.reject(new AuthorityError('away'));
    const away = await rig.get('/private', local, bearer('good'), 'Accept: text/html');
    assert.equal(away.status, 503);
    assert.equal(away.header('retry-after'), '5');
    assert.equal(away.header('location'), undefined);
    assert.equal((await rig.get('/', local, bearer('good'))).status, 200);
  }));
