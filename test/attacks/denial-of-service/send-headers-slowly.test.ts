// CVE-2020-8251, slowloris: a head that never ends held a connection for ever.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { defaultLimits } from '../../../src/proxy/listener.ts';
import { withRig } from '../../proxy/rig.ts';

test('a head that takes too long is answered with 408 and cut off, a silent connection too', () =>
  withRig({ limits: { headersTimeoutMs: 300, checkIntervalMs: 50 } }, async ({ port }) => {
    for (const dripping of [true, false]) {
      const began = performance.now();
      const received = await new Promise<string>((resolve) => {
        const socket = connect(port, '127.0.0.1');
        let text = '';
        if (dripping) socket.write('GET / HTTP/1.1\r\nHost: app.example.com\r\n');
        const drip = setInterval(() => dripping && socket.write('a: b\r\n'), 50);
        socket.on('data', (chunk) => (text += chunk.toString()));
        socket.on('error', () => undefined);
        setTimeout(() => socket.destroy(), 3_000).unref();
        socket.on('close', () => {
          clearInterval(drip);
          resolve(text);
        });
      });
      assert.match(received, /^HTTP\/1\.1 408 /);
      assert.ok(performance.now() - began < 2_000);
    }
  }));

test('unless told otherwise, a head has fifteen seconds', () => {
  assert.deepEqual(defaultLimits, { headersTimeoutMs: 15_000, checkIntervalMs: 5_000 });
});
