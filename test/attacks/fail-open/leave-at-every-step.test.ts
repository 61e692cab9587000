// CVE-2026-47205, CVE-2022-29228: a client that left in the middle of the check took the process with it.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { delay, eventually, session, withRig } from '../../proxy/rig.ts';

const steps = {
  'while the session is opened':
    'GET /engineers HTTP/1.1\r\nHost: app.example.com\r\nCookie: __Host-sallyport=slow\r\n\r\n',
  'while auth answers': 'GET /.sallyport/user HTTP/1.1\r\nHost: app.localhost\r\n\r\n',
  'while a form arrives': 'POST /.sallyport/sign-out HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 10\r\n\r\nab',
  'while the application thinks': 'GET /slow HTTP/1.1\r\nHost: app.localhost\r\n\r\n',
  'while a body is sent': 'POST /slow HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 100\r\n\r\nabc',
  'while a protocol is switched':
    'GET /slow HTTP/1.1\r\nHost: app.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'in the middle of a head': 'GET / HTTP/1.1\r\nHost: app',
  'before the first page': 'GET /nowhere HTTP/1.1\r\nHost: nobody.example.com\r\n\r\n',
};

for (const [step, bytes] of Object.entries(steps)) {
  for (const how of ['end', 'reset'] as const) {
    test(`a client that leaves (${how}) ${step} costs nobody anything`, () =>
      withRig(
        {
          hosts: (to) =>
            ['app.example.com', 'app.localhost'].map((host) => ({
              host,
              routes: [
                to('/', { policies: [], defaultAccess: 'Authenticated' }),
                to('/slow', {
                  policies: [
                    {
                      policy: { name: 'p', mode: 'Enforce', rules: [{ allow: { and: [{ accept: true }] } }] },
                      attachment: 'Own',
                    },
                  ],
                  defaultAccess: 'Deny',
                }),
              ],
            })),
          application: () => undefined,
        },
        async ({ port, authority, get, lines, upstream }) => {
          authority.open = async () => {
            await delay(60);
            return session('s');
          };
          authority.respond = async () => {
            await delay(60);
            return authority.answer;
          };
          const socket = connect(port, '127.0.0.1');
          socket.on('error', () => undefined);
          socket.write(bytes);
          await delay(30);
          if (how === 'end') socket.destroy();
          else socket.resetAndDestroy();
          await delay(60);
          assert.equal((await get('/', 'Host: nobody.example.com')).status, 404);
          await eventually(
            () => upstream.sockets.size === 0 || step === 'while a protocol is switched',
            'the upstream is let go',
          );
          assert.ok(lines.every(({ msg }) => msg !== 'request failed'));
        },
      ));
  }
}
