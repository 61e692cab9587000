// What goes wrong with an application, fault by fault, each provoked over a real socket: the status, the page and the log agree.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { test } from 'node:test';
import type { UpstreamFailure } from '../../src/model/page.ts';
import type { Endpoint, Upstream } from '../../src/model/route.ts';
import { eventually, publicAccess, reply, sentHeader, withRig } from './rig.ts';
import type { Application } from './rig.ts';

interface Fault {
  readonly status: number;
  readonly application?: Application;
  /** Instead of the application that the rig starts. */
  readonly upstream?: (silent: Endpoint) => Upstream;
  readonly check?: boolean;
  /** Whether the application was told of the request, and with it of the id. */
  readonly reached: boolean;
}

const plain = (...endpoints: readonly Endpoint[]): Upstream => ({ name: 'u', protocol: 'http', endpoints });

const faults: Readonly<Record<UpstreamFailure, Fault>> = {
  NoEndpoints: { status: 503, upstream: () => plain(), reached: false },
  // Port 1 of the loopback, where nobody listens.
  ConnectFailed: { status: 502, upstream: () => plain({ address: '127.0.0.1', port: 1 }), reached: false },
  // Over TLS the connection stands once the other side has proved its name, which this one never does.
  ConnectTimeout: {
    status: 504,
    upstream: (silent) => ({
      name: 'u',
      protocol: 'https',
      tls: { serverName: 'app.example.com' },
      endpoints: [silent],
    }),
    reached: false,
  },
  AddressRefused: {
    status: 502,
    upstream: () => plain({ address: '169.254.169.254', port: 80 }),
    check: true,
    reached: false,
  },
  FirstByteTimeout: { status: 504, application: () => undefined, reached: true },
  Reset: { status: 502, application: (_request, socket) => socket.resetAndDestroy(), reached: true },
  Invalid: { status: 502, application: reply('SSH-2.0-OpenSSH_9.6\r\n\r\n'), reached: true },
};

function startSilent(): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => socket.destroy()));
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

for (const [outcome, fault] of Object.entries(faults)) {
  test(`${outcome} is ${fault.status}: a page, RFC 9457 for a program, and one id everywhere`, async () => {
    const silent = await startSilent();
    const endpoint = { address: '127.0.0.1', port: (silent.address() as AddressInfo).port };
    const application = fault.application && { application: fault.application };
    const timeouts = { connectMs: 150, firstByteMs: 150, idleMs: 2_000 };
    try {
      await withRig(
        {
          ...application,
          settings: { timeouts },
          proxy: { checkUpstreamAddresses: fault.check === true },
          hosts: (to) => {
            const route = to('/', publicAccess);
            const upstream = fault.upstream?.(endpoint) ?? route.upstream ?? plain();
            return [{ host: 'app.example.com', routes: [{ ...route, upstream }] }];
          },
        },
        async ({ get, lines, upstream, metrics }) => {
          const person = await get('/', 'Accept: text/html');
          assert.equal(person.status, fault.status);
          assert.ok(person.body.includes(person.header('x-request-id') ?? '-'));
          const program = await get('/', 'Accept: application/json');
          assert.equal(program.status, fault.status);
          assert.equal(program.header('content-type'), 'application/problem+json');
          const problem = JSON.parse(program.body) as Record<string, unknown>;
          assert.deepEqual(Object.keys(problem), ['type', 'title', 'status', 'detail', 'requestId']);
          assert.deepEqual([problem['type'], problem['status']], ['about:blank', fault.status]);
          assert.equal(problem['requestId'], program.header('x-request-id'));

          await eventually(() => lines.length === 2, 'two lines in the log');
          const ids = [person, program].map((answer) => answer.header('x-request-id'));
          assert.deepEqual(
            lines.map((line) => [line['id'], line['outcome'], line['status']]),
            ids.map((id) => [id, outcome, fault.status]),
          );
          assert.deepEqual(
            upstream.requests.map((request) => sentHeader(request, 'x-request-id')),
            fault.reached ? ids : [],
          );
          assert.match(await metrics.registry.metrics(), new RegExp(`outcome="${outcome}"\\} 2`));
        },
      );
    } finally {
      silent.close();
    }
  });
}
