// ACME challenges over plain http: before the redirect to https, on the authentication host, and where nobody owns the host.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostRoutes } from '../../src/model/route.ts';
import { certificate, publicAccess, reply, signedInAccess, startUpstream, withRig } from './rig.ts';
import type { RigOptions, Rig } from './rig.ts';

const challenge = '/.well-known/acme-challenge/evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA';
const answer = reply('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nthumb.key');

async function withSolver(
  options: Omit<RigOptions, 'hosts'>,
  hosts: (solvers: NonNullable<HostRoutes['solvers']>) => RigOptions['hosts'],
  run: (rig: Rig) => Promise<void>,
): Promise<void> {
  const { port, close } = await startUpstream(answer);
  const upstream = { name: 'shop/solver:8089', protocol: 'http', endpoints: [{ address: '127.0.0.1', port }] } as const;
  const hostsOf = hosts([{ path: challenge, upstream }]);
  try {
    await withRig({ ...options, ...(hostsOf && { hosts: hostsOf }) }, run);
  } finally {
    await close();
  }
}

test('before the redirect to https, which everything else gets', () =>
  withSolver(
    { https: true },
    (solvers) => (to) => [
      {
        host: 'app.example.com',
        routes: [to('/', signedInAccess)],
        certificate: certificate('app.example.com'),
        solvers,
      },
    ],
    async ({ get }) => {
      const solved = await get(challenge);
      assert.deepEqual([solved.status, solved.body], [200, 'thumb.key']);
      assert.equal((await get(`${challenge}2`)).status, 308);
    },
  ));

test('on the authentication host, whose every other path is ours', () =>
  withSolver(
    { settings: { authenticationHost: 'auth.example.com' } },
    (solvers) => () => [{ host: 'auth.example.com', routes: [], solvers, solversOnly: true }],
    async ({ get, authority }) => {
      assert.equal((await get(challenge, 'Host: auth.example.com')).body, 'thumb.key');
      assert.equal((await get('/', 'Host: auth.example.com')).status, 403);
      assert.equal(authority.asked.length, 0);
    },
  ));

test('a host that has nothing but a solver is its wildcard’s for all else, with the certificate of that', () =>
  withSolver(
    { https: true },
    (solvers) => (to) => [
      { host: 'a.example.org', routes: [], solvers, solversOnly: true },
      { host: '*.example.org', routes: [to('/', publicAccess)], certificate: certificate('wildcard.example.org') },
    ],
    async ({ get, send, upstream }) => {
      assert.equal((await get(challenge, 'Host: a.example.org')).body, 'thumb.key');
      const request = 'GET / HTTP/1.1\r\nHost: a.example.org\r\n\r\n';
      assert.equal((await send(request, { tls: { servername: 'a.example.org' } })).status, 200);
      assert.equal(upstream.requests.length, 1);
    },
  ));

test('and nobody’s, where no wildcard is above it', () =>
  withSolver(
    {},
    (solvers) => () => [{ host: 'free.example.org', routes: [], solvers, solversOnly: true }],
    async ({ get }) => {
      assert.equal((await get(challenge, 'Host: free.example.org')).body, 'thumb.key');
      assert.equal((await get('/', 'Host: free.example.org')).status, 404);
    },
  ));

test('a solver that is not there answers 502, as an application does', () =>
  withRig(
    {
      hosts: () => [
        {
          host: 'app.example.com',
          routes: [],
          solvers: [
            {
              path: challenge,
              upstream: {
                name: 'shop/solver:8089',
                protocol: 'http',
                endpoints: [{ address: '127.0.0.1', port: 1 }],
              },
            },
          ],
        },
      ],
    },
    async ({ get }) => assert.equal((await get(challenge)).status, 502),
  ));
