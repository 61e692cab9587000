// http-proxy#1219: under `Expect: 100-continue` the identity headers were never set, and the client's own came through.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { delay, sentHeader, withRig } from '../../proxy/rig.ts';

test('a request that waits for 100 is judged first, and its headers built like any other', () =>
  withRig({}, async ({ port, send, upstream }) => {
    const head = (path: string): string =>
      `POST ${path} HTTP/1.1\r\nHost: app.example.com\r\nX-Sallyport-User: forged\r\nExpect: 100-continue\r\nContent-Length: 5\r\n`;
    const refused = await send(`${head('/engineers')}\r\n`, { forMs: 100 });
    assert.match(refused.raw, /^HTTP\/1\.1 403 /);
    assert.equal(refused.header('connection'), 'close');
    assert.equal(upstream.requests.length, 0);

    const client = connect(port, '127.0.0.1');
    let received = '';
    client.on('data', (chunk) => (received += chunk.toString()));
    client.write(`${head('/engineers')}Cookie: __Host-sallyport=good\r\n\r\n`);
    await delay(80);
    assert.equal(received, 'HTTP/1.1 100 Continue\r\n\r\n');
    client.write('abcde');
    await delay(80);
    assert.match(received, /\r\n\r\nHTTP\/1\.1 200 OK/);
    assert.equal(sentHeader(upstream.requests[0], 'x-sallyport-user'), 'u-ana');
    assert.equal(sentHeader(upstream.requests[0], 'expect'), undefined);
    assert.match(upstream.requests[0] ?? '', /abcde$/);
    client.destroy();
  }));

test('an expectation that nobody knows is 417', () =>
  withRig({}, async ({ get, upstream }) => {
    assert.equal((await get('/', 'Expect: the-unexpected')).status, 417);
    assert.equal(upstream.requests.length, 0);
  }));
