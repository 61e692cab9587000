// CVE-2026-35051, CVE-2026-54764: forwarding headers of an untrusted client were passed on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentHeader, withRig } from '../../proxy/rig.ts';

test('forwarding headers say what we saw', () =>
  withRig({}, async ({ get, upstream }) => {
    await get(
      '/',
      'X-Forwarded-For: 10.0.0.1',
      'X-Forwarded-Host: evil',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Port: 443',
      'X-Forwarded-Prefix: /evil',
      'X-Forwarded-Server: evil',
      'X-Real-IP: 10.0.0.1',
      'Forwarded: for=10.0.0.1',
    );
    const [request] = upstream.requests;
    const expected = {
      'x-forwarded-for': '127.0.0.1',
      'x-real-ip': '127.0.0.1',
      'x-forwarded-host': 'app.example.com',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': '80',
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(sentHeader(request, name), value, name);
    assert.doesNotMatch(request ?? '', /evil|10\.0\.0\.1/);
  }));
