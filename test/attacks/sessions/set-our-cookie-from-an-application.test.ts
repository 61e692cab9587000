// An application that could set our cookie could sign its visitors in as somebody else (promise 3).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reply, withRig } from '../../proxy/rig.ts';

const attempts = [
  '__Host-sallyport=evil; Path=/; Secure',
  '__host-SALLYPORT=evil',
  ' __Host-sallyport =evil',
  '=__Host-sallyport=evil',
  ' = __Host-sallyport=evil',
  '==__Host-sallyport=evil',
  '__Host-sallyport',
  '__Host-sallyport; Path=/',
  '__Host-sallyport-login=evil',
  '\t__Host-sallyport=evil',
];
const application = reply(
  `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${attempts.map((cookie, at) => `${at % 2 === 0 ? 'Set-Cookie' : 'set-cookie'}: ${cookie}\r\n`).join('')}Set-Cookie: mine=1; Path=/\r\nSet-Cookie: a=__Host-sallyport=x\r\n\r\n`,
);

test('no spelling of our cookie can be set by an application; others pass', () =>
  withRig({ application }, async ({ get }) => {
    assert.deepEqual((await get('/')).all('set-cookie'), ['mine=1; Path=/', 'a=__Host-sallyport=x']);
  }));

test('not in interim answers, nor in trailers', () =>
  withRig(
    {
      application: reply(
        'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nSet-Cookie: __Host-sallyport=evil\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Set-Cookie\r\n\r\n1\r\na\r\n0\r\nSet-Cookie: __Host-sallyport=evil\r\nX-Sum: 1\r\n\r\n',
      ),
    },
    async ({ get }) => {
      const answer = await get('/');
      assert.match(answer.raw, /^HTTP\/1\.1 103 [^]*Link: <\/a\.css>[^]*HTTP\/1\.1 200 OK[^]*X-Sum: 1\r\n/);
      assert.doesNotMatch(answer.raw, /evil/);
    },
  ));
