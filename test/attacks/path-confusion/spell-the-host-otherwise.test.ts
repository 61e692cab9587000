// CVE-2021-39155, CVE-2022-23632, CVE-2026-27588: APP.Example.COM. had no policy, but had an application.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentHeader, withRig } from '../../proxy/rig.ts';

test('a host has one spelling: lower case, no root dot', () =>
  withRig({}, async ({ get, upstream, port }) => {
    for (const host of ['APP.Example.COM', 'app.example.com.', `App.Example.com.:${port}`]) {
      assert.equal((await get('/engineers', `Host: ${host}`)).status, 403, host);
      assert.equal((await get('/', `Host: ${host}`)).status, 200, host);
      assert.match(sentHeader(upstream.requests.at(-1), 'host') ?? '', /^app\.example\.com(:\d+)?$/);
    }
  }));

test('what is no host name is refused', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const host of [
      '',
      ' ',
      'app.example.com..',
      '.',
      'a b',
      'app_example.com',
      'user@app.example.com',
      'app.example.com:',
      'app.example.com:0',
      'app.example.com:99999',
      'app.example.com:80:80',
      'app.example.com/engineers',
      '[::1',
      'app.example.com,evil',
      'äpp.example.com',
      `${'a'.repeat(64)}.com`,
    ]) {
      assert.equal((await get('/', `Host: ${host}`)).status, 400, host);
    }
    assert.equal(upstream.requests.length, 0);
  }));
