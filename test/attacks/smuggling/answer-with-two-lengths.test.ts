// Response splitting from behind: an application whose answer has two ends, or none that can be told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

const answers: Readonly<Record<string, string>> = {
  lengths: 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 30\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  both: 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
  coding: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
  status: 'HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n',
  large: 'HTTP/1.1 1000 Odd\r\nContent-Length: 0\r\n\r\n',
  protocol: 'SSH-2.0-OpenSSH_9.6\r\n\r\n',
  switch: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'bare-switch': 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
  folded: 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n',
  nul: 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n',
  many: `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(600)}Content-Length: 0\r\n\r\n`,
  huge: `HTTP/1.1 200 OK\r\nA: ${'a'.repeat(100_000)}\r\nContent-Length: 0\r\n\r\n`,
  interim: 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100),
};

test('an answer that is no HTTP is 502, and costs nobody else anything', () =>
  withRig(
    {
      settings: { timeouts: { connectMs: 1_000, firstByteMs: 1_000, idleMs: 1_000 } },
      application: (request, socket) => {
        const name = /^GET \/([^ ]*)/.exec(request)?.[1] ?? '';
        socket.write(answers[name] ?? 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood');
      },
    },
    async ({ get }) => {
      for (const name of Object.keys(answers)) {
        assert.equal((await get(`/${name}`)).status, 502, name);
        assert.equal((await get('/fine')).body, 'good', name);
      }
    },
  ));
