// CVE-2020-15127, CVE-2025-24030: what is for operators was answered on the port of the traffic, and anybody could shut down.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAdmin } from '../../../src/admin/server.ts';
import { createMetrics } from '../../../src/telemetry.ts';
import { sendTo, withRig } from '../../proxy/rig.ts';

const paths = [
  '/shutdown',
  '/quitquitquit',
  '/drain',
  '/metrics',
  '/livez',
  '/table',
  '/diagnostics',
  '/debug/pprof',
  '/config_dump',
];

test('the port of the traffic answers nothing of what is for operators', () =>
  withRig({}, async ({ send, upstream }) => {
    for (const method of ['GET', 'POST']) {
      for (const path of paths) {
        const request = `${method} /engineers${path} HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 0\r\n\r\n`;
        assert.equal((await send(request)).status, 403, path);
        // A host that nobody claims has no path of ours either.
        assert.equal(
          (await send(request.replace('app.example.com', '127.0.0.1').replace('/engineers', ''))).status,
          404,
        );
      }
    }
    assert.equal(upstream.requests.length, 0);
  }));

test('the private port tells a stranger nothing, and does nothing', async () => {
  const operators = {
    token: 'the-token',
    table: () => assert.fail('not asked'),
    diagnostics: () => assert.fail('not asked'),
    questions: {
      '/explain': () => assert.fail('not asked'),
      '/access': () => assert.fail('not asked'),
      '/sessions': () => assert.fail('not asked'),
    },
  };
  const admin = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    metrics: createMetrics(),
    isReady: () => true,
    operators,
  });
  try {
    for (const path of paths.filter((one) => !['/metrics', '/livez'].includes(one))) {
      for (const line of ['', 'Authorization: Bearer wrong\r\n', 'Authorization: Basic x\r\n']) {
        for (const method of ['GET', 'POST']) {
          const { status } = await sendTo(
            admin.port,
            `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${line}Content-Length: 0\r\n\r\n`,
          );
          assert.ok([401, 403, 404, 405].includes(status), `${method} ${path} ${line}: ${status}`);
        }
      }
    }
    assert.equal((await sendTo(admin.port, 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n')).status, 200);
  } finally {
    await admin.close();
  }
});
