// CVE-2016-5385 (httpoxy): a Proxy header becomes HTTP_PROXY in a CGI program.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

test('a Proxy header never comes through', () =>
  withRig({}, async ({ get, upstream }) => {
    await get(
      '/',
      'Proxy: http://evil',
      'proxy: http://evil',
      'Proxy-Authorization: evil',
      'Proxy_Authorization: evil',
    );
    assert.doesNotMatch(upstream.requests[0] ?? '', /evil/);
  }));
