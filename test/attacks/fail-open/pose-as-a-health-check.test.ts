// CVE-2026-34457: a User-Agent of a health checker counted as signed in. Who asks for health has a port of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

const agents = ['kube-probe/1.34', 'GoogleHC/1.0', 'ELB-HealthChecker/2.0', 'Prometheus/3.0', 'Envoy/HC'];
const paths = ['/livez', '/readyz', '/healthz', '/health', '/ping', '/metrics', '/'];

test('no name of a program and no path of a probe opens a closed route', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const agent of agents) {
      for (const path of paths) {
        const answer = await get(`/engineers${path}`, `User-Agent: ${agent}`);
        assert.equal(answer.status, 403, `${agent} ${path}`);
        assert.doesNotMatch(answer.body, /sallyport_/);
      }
    }
    assert.equal(upstream.requests.length, 0);
  }));

test('on the listener of the traffic a probe’s path is the application’s like any other', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const path of paths) {
      assert.equal((await get(path)).status, 200);
      assert.ok(upstream.requests.at(-1)?.startsWith(`GET ${path} HTTP/1.1`), path);
    }
  }));
