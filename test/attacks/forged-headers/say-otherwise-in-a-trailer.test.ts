// A header that a route sets or removes came again at the end of the body, where some servers read it as one of the head.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publicAccess, withRig } from '../../proxy/rig.ts';

const requestHeaders = { set: [['X-Tenant', 'shop']], add: [], remove: ['x-debug'] } as const;

test('what a route has changed is no trailer, under any spelling', () =>
  withRig(
    { hosts: (to) => [{ host: 'app.example.com', routes: [to('/', publicAccess, { requestHeaders })] }] },
    async ({ send, upstream }) => {
      const answer = await send(
        'POST / HTTP/1.1\r\nHost: app.example.com\r\nTransfer-Encoding: chunked\r\nTrailer: X-Tenant, X-Sum\r\n\r\n' +
          '2\r\nhi\r\n0\r\nX-Tenant: blog\r\nx_tenant: blog\r\nX-Debug: 1\r\nX-Sum: 7\r\n\r\n',
      );
      assert.equal(answer.status, 200);
      const sent = upstream.requests[0] ?? '';
      assert.match(sent, /\r\nX-Sum: 7\r\n/);
      assert.doesNotMatch(sent, /blog|debug/i);
      assert.match(sent, /\r\nX-Tenant: shop\r\n/);
    },
  ));
