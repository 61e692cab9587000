// CVE-2024-45808: a request wrote lines of its own into the access log.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, createMetrics } from '../../../src/telemetry.ts';
import { eventually, session, withRig } from '../../proxy/rig.ts';

const written: string[] = [];
const log = createLogger('debug', (line) => written.push(line));

test('one request is one line, whatever it and its person are named', () =>
  withRig({ proxy: { log, metrics: createMetrics() } }, async ({ get, authority }) => {
    const name = 'eve"}\r\n{"msg":"request","status":200}\u2028\u001b[31m';
    authority.sessions.set('eve', session(name, { identity: { user: name, email: name, groups: [], claims: {} } }));
    authority.assert = () => Promise.resolve('a.b.c');
    await get('/private/%22%7D%E2%80%A8', 'Cookie: __Host-sallyport=eve');
    await get('/a"}{b', 'Cookie: a=b');
    await eventually(() => written.length === 2, 'two lines');
    for (const line of written) {
      assert.equal(line.trimEnd().split(/[\r\n]/).length, 1);
      assert.ok(!line.includes('\u001b'));
      assert.equal((JSON.parse(line) as { msg: string }).msg, 'request');
    }
  }));
