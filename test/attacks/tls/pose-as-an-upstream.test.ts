// CVE-2025-66491, CVE-2021-22939: a setting that was missing or read the wrong way switched the check of the upstream's name off.
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { certificate, publicAccess, withRig } from '../../proxy/rig.ts';

test('an https upstream that cannot prove its name is not spoken to', async () => {
  const { chain, key } = certificate('app.example.com');
  let heard = 0;
  const impostor = createServer({ cert: chain, key: key.reveal() }, (_request, response) => {
    heard += 1;
    response.end();
  });
  await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
  const endpoints = [{ address: '127.0.0.1', port: (impostor.address() as AddressInfo).port }];
  try {
    await withRig(
      {
        hosts: (to) => [
          {
            host: 'app.example.com',
            routes: [
              to('/named', publicAccess, {
                upstream: { name: 'u', protocol: 'https', tls: { serverName: 'app.example.com' }, endpoints },
              }),
            ],
          },
        ],
      },
      async ({ get, send }) => {
        assert.equal((await get('/named')).status, 502);
        assert.equal(
          (await send('POST /named HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 6\r\n\r\nsecret')).status,
          502,
        );
        assert.equal(heard, 0);
      },
    );
  } finally {
    impostor.close();
  }
});
