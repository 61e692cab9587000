// A path that asks nobody to sign in, for ACME servers: everything that is not exactly it, over plain http, is as closed as ever.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostRoutes } from '../../../src/model/route.ts';
import { certificate, sentHeader, signedInAccess, startUpstream, withRig } from '../../proxy/rig.ts';
import type { RouteMaker } from '../../proxy/rig.ts';

const challenge = '/.well-known/acme-challenge/evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA';
const prefix = '/.well-known/acme-challenge';

const hostsWith =
  (port: number) =>
  (to: RouteMaker): readonly HostRoutes[] => {
    const upstream = {
      name: 'shop/solver:8089',
      protocol: 'http',
      endpoints: [{ address: '127.0.0.1', port }],
    } as const;
    return [
      { host: 'app.example.com', routes: [to('/', signedInAccess)], solvers: [{ path: challenge, upstream }] },
      { host: 'other.example.com', routes: [to('/', signedInAccess)] },
    ];
  };

const attempts: readonly (readonly [what: string, target: string, ...headers: string[]])[] = [
  ['another token', `${prefix}/another`],
  ['no token', `${prefix}/`],
  ['the folder', prefix],
  ['more of a path', `${challenge}/more`],
  ['a trailing slash', `${challenge}/`],
  ['dot segments', `${challenge}/../../../admin`],
  ['dot segments to it', `/admin/..${challenge}`],
  ['encoded dot segments', `${challenge}/%2e%2e/%2e%2e/%2e%2e/admin`],
  ['an encoded slash', `${prefix}%2F${challenge.slice(prefix.length + 1)}`],
  ['an encoded slash and more', `${challenge}%2F..%2F..%2Fadmin`],
  ['a path parameter', `${challenge};a=b`],
  ['another letter case', challenge.toUpperCase()],
  ['another host', challenge, 'Host: other.example.com'],
  ['another path in a header', '/admin', `X-Original-URL: ${challenge}`, `X-Rewrite-URL: ${challenge}`],
  ['another protocol', challenge, 'Connection: Upgrade', 'Upgrade: websocket'],
  ['a body', challenge, 'Content-Length: 0'],
];

test('nothing but the challenge reaches the solver, and nothing at all the application', async () => {
  const solver = await startUpstream();
  try {
    await withRig({ hosts: hostsWith(solver.port) }, async ({ get, send, upstream }) => {
      for (const [what, target, ...headers] of attempts) {
        const { status } = await get(target, 'Accept: */*', ...headers);
        assert.ok(status === 400 || status === 403, `${what}: ${status}`);
      }
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND']) {
        const { status } = await send(`${method} ${challenge} HTTP/1.1\r\nHost: app.example.com\r\n\r\n`);
        assert.equal(status, 403, method);
      }
      assert.deepEqual([solver.requests.length, upstream.requests.length], [0, 0]);
      assert.equal((await get(challenge)).status, 200);
      assert.equal(solver.requests.length, 1);
    });
  } finally {
    await solver.close();
  }
});

test('over https the challenge is a path like any other', async () => {
  const solver = await startUpstream();
  try {
    await withRig(
      { https: true, defaultCertificate: certificate('app.example.com'), hosts: hostsWith(solver.port) },
      async ({ send }) => {
        const request = `GET ${challenge} HTTP/1.1\r\nHost: app.example.com\r\nAccept: */*\r\n\r\n`;
        assert.equal((await send(request, { tls: { servername: 'app.example.com' } })).status, 401);
        assert.equal(solver.requests.length, 0);
        assert.equal((await send(request)).status, 200);
      },
    );
  } finally {
    await solver.close();
  }
});

test('the solver hears nothing that belongs to a person', async () => {
  const solver = await startUpstream();
  try {
    await withRig({ hosts: hostsWith(solver.port) }, async ({ get }) => {
      const secrets = ['Cookie: app=1; __Host-sallyport=good', 'Authorization: Bearer abc', 'X-Api-Key: 7'];
      assert.equal((await get(challenge, 'User-Agent: acme', ...secrets)).status, 200);
      const [request] = solver.requests;
      for (const name of ['cookie', 'authorization', 'x-api-key', 'x-sallyport-user', 'x-sallyport-assertion']) {
        assert.equal(sentHeader(request, name), undefined, name);
      }
      assert.equal(sentHeader(request, 'host'), 'app.example.com');
      assert.equal(sentHeader(request, 'user-agent'), 'acme');
    });
  } finally {
    await solver.close();
  }
});
