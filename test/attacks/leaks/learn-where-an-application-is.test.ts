// A page of ours names no upstream: its address is nobody's outside.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publicAccess, withRig } from '../../proxy/rig.ts';

test('no page of ours names an address or a port of an upstream', () =>
  withRig(
    { settings: { timeouts: { connectMs: 200, firstByteMs: 200, idleMs: 200 } } },
    async ({ serve, get, upstream }) => {
      await upstream.close();
      const endpointSets = [
        [{ address: '127.0.0.1', port: upstream.port }],
        [{ address: 'no-such-name.invalid', port: 9 }],
        [],
      ];
      for (const endpoints of endpointSets) {
        const route = {
          id: 'r',
          ingress: { namespace: 'secret-namespace', name: 'b' },
          path: '/',
          match: 'Prefix',
          access: publicAccess,
          providers: [],
          upstream: { name: 'secret-namespace/u', protocol: 'http', endpoints },
        } as const;
        serve([{ host: 'app.example.com', routes: [route] }]);
        for (const accept of ['text/html', '*/*']) {
          const answer = await get('/', `Accept: ${accept}`);
          assert.ok(answer.status === 502 || answer.status === 503, String(answer.status));
          assert.doesNotMatch(
            answer.raw,
            new RegExp(`127\\.0\\.0\\.1|${upstream.port}|invalid|secret-namespace|ECONN`),
          );
        }
      }
    },
  ));
