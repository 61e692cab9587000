// What a browser says of itself, in plain words.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceOf } from '../../src/auth/session/device.ts';

const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)';

const devices: readonly (readonly [string | undefined, string])[] = [
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Windows'],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/140.0.0.0 Safari/537.36`, 'Chrome on Windows'],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0`,
    'Edge on Windows',
  ],
  [`Mozilla/5.0 (X11; Linux x86_64) ${webkit} HeadlessChrome/140.0.0.0 Safari/537.36`, 'Chrome on Linux'],
  [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${webkit} Chrome/140.0.0.0 Safari/537.36`, 'Chrome on ChromeOS'],
  [`Mozilla/5.0 (Linux; Android 10; K) ${webkit} Chrome/140.0.0.0 Mobile Safari/537.36`, 'Chrome on Android'],
  [
    `Mozilla/5.0 (Linux; Android 13; SM-S901B) ${webkit} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`,
    'Samsung Internet on Android',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
    'Safari on macOS',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
    'Safari on iPhone',
  ],
  [
    'Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1',
    'Chrome on iPad',
  ],
  ['curl/8.14.1', 'curl'],
  ['some-tool/1.0 (Linux)', 'a program on Linux'],
  ['', 'unknown device'],
  [undefined, 'unknown device'],
  ['\u001b[31m<script>alert(1)</script>', 'unknown device'],
];

for (const [userAgent, device] of devices) {
  test(`${device}: ${userAgent ?? 'nothing'}`.slice(0, 110), () => {
    assert.equal(deviceOf(userAgent), device);
  });
}

test('none of the patterns takes long, whatever is sent', () => {
  const startedAt = performance.now();
  for (const part of ['Version/1 ', 'Version/', 'Safari ', 'a'.repeat(256)]) deviceOf(part.repeat(256).slice(0, 256));
  assert.ok(performance.now() - startedAt < 100);
});
