// CVE-2026-39858: of several spellings of one header the proxy replaced one, and the application read another.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRig } from '../../proxy/rig.ts';

const spellings = (name: string) => [
  name,
  name.toLowerCase(),
  name.toUpperCase(),
  name.replaceAll('-', '_'),
  name.replaceAll('-', '.'),
  name,
];

test('of all that are sent one arrives, and it is ours', () =>
  withRig({}, async ({ get, upstream }) => {
    for (const [name, ours] of [
      ['X-Sallyport-User', 'u-ana'],
      ['X-Sallyport-Email', 'ana@example.com'],
      ['X-Forwarded-For', '127.0.0.1'],
      ['X-Forwarded-Host', 'app.example.com'],
      ['X-Real-IP', '127.0.0.1'],
    ] as const) {
      const lines = spellings(name).map((spelling, at) => `${spelling}: eve-${at}`);
      await get('/private', 'Cookie: __Host-sallyport=good', ...lines);
      const folded = (upstream.requests.at(-1) ?? '')
        .split('\r\n')
        .map((line) => [line.split(':', 1)[0]?.replaceAll(/[_.]/g, '-').toLowerCase(), line] as const)
        .filter(([folds]) => folds === name.toLowerCase());
      assert.deepEqual(
        folded.map(([, line]) => line.slice(line.indexOf(':') + 1).trim()),
        [ours],
        name,
      );
    }
  }));
