// An open WebSocket, event stream or download of whom a new table refuses: it ends at once, and says why in the log.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { eventually, publicAccess, signedInAccess, withRig } from '../../proxy/rig.ts';
import type { RouteMaker } from '../../proxy/rig.ts';
import type { Access } from '../../../src/model/policy.ts';
import type { Decision } from '../../../src/model/verdict.ts';

const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const streaming = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n';
const loading = 'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbeginning';

const host = 'app.example.com';
const cookie = 'Cookie: __Host-sallyport=good\r\n';
const none: Access = { policies: [], defaultAccess: 'Deny' };

/** What each of these was when it was let in, and what the table makes of it. */
const cases: readonly (readonly [string, string, Access, Access, Decision])[] = [
  ['whom the policy refuses by now', cookie, signedInAccess, none, 'Deny'],
  ['who came without a name, where one is asked for by now', '', publicAccess, signedInAccess, 'Login'],
];

for (const [kind, answer] of [
  ['a WebSocket', switching],
  ['an event stream', streaming],
  ['a download', loading],
] as const) {
  for (const [who, headers, before, after, verdict] of cases) {
    test(`${kind} of somebody ${who}`, { timeout: 10_000 }, () => {
      const hosts = (access: Access) => (routeTo: RouteMaker) => [{ host, routes: [routeTo('/', access)] }];
      let routeTo: RouteMaker | undefined;
      const first = (make: RouteMaker) => {
        routeTo = make;
        return hosts(before)(make);
      };
      return withRig(
        {
          application: (_request, socket) => void socket.write(answer),
          hosts: first,
          proxy: { decisionLog: 'all' },
        },
        async ({ port, serve, lines, upstream }) => {
          assert(routeTo);
          const client = connect(port, '127.0.0.1');
          const closed = new Promise((resolve) => client.once('close', resolve));
          client.on('error', () => undefined);
          const upgrade = kind === 'a WebSocket' ? 'Connection: Upgrade\r\nUpgrade: websocket\r\n' : '';
          client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n${headers}${upgrade}\r\n`);
          await new Promise((resolve) => client.once('data', resolve));
          // What nothing refuses goes on: the same again, as a new object.
          serve(hosts(before)(routeTo));
          assert.equal(client.destroyed, false);
          serve(hosts(after)(routeTo));
          await closed;
          await eventually(() => upstream.sockets.size === 0, 'the application is left as well');
          const told = (what: string) => lines.filter(({ msg }) => msg === what);
          await eventually(() => told('request').length > 0, 'the access log says so');
          assert.deepEqual(
            told('request').map(({ outcome }) => outcome),
            ['SessionEnded'],
          );
          assert.deepEqual(
            told('decision').map(({ verdict: said }) => said),
            ['Allow', verdict],
          );
        },
      );
    });
  }
}

for (const [who, headers, before, after, status] of [
  ['whom the policy refuses by now', cookie, signedInAccess, none, 403],
  ['who came without a name, where one is asked for by now', '', publicAccess, signedInAccess, 401],
] as const) {
  test(`a request that waits for its answer, of somebody ${who}, is told so`, { timeout: 10_000 }, () => {
    let routeTo: RouteMaker | undefined;
    const hosts = (make: RouteMaker, access: Access) => [{ host, routes: [make('/', access)] }];
    return withRig(
      {
        application: () => undefined,
        hosts: (make) => {
          routeTo = make;
          return hosts(make, before);
        },
      },
      async ({ send, serve, upstream, lines }) => {
        assert(routeTo);
        const answer = send(`POST / HTTP/1.1\r\nHost: ${host}\r\n${headers}Content-Length: 2\r\n\r\nok`);
        await eventually(() => upstream.requests.length === 1, 'the application has it');
        serve(hosts(routeTo, after));
        assert.equal((await answer).status, status);
        await eventually(() => upstream.sockets.size === 0, 'the application is left as well');
        await eventually(() => lines.some(({ outcome }) => outcome === 'SessionEnded'), 'the access log says so');
      },
    );
  });
}
