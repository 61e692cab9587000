// CVE-2026-31923: the provider's certificate was not verified by default, and whoever stood between was the provider.
import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { appHost, createBrowser, createHouse, visit } from '../../auth/rig.ts';
import { startFakeProvider } from '../../auth/fake-provider.ts';
import { certificate } from '../../proxy/rig.ts';

test('a provider that cannot prove its name is asked nothing, and the person told to try again', async (t) => {
  const { chain, key } = certificate('app.example.com');
  let heard = 0;
  const impostor = createServer({ cert: chain, key: key.reveal() }, (_request, response) => {
    heard += 1;
    response.end('{}');
  });
  await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
  const provider = await startFakeProvider();
  const issuer = `https://localhost:${(impostor.address() as AddressInfo).port}`;
  // Without a CA of its own, and with one that vouches for another name.
  const [plain, named] = [{ ...provider.settings, issuer, allowInsecure: true }, { ca: chain }];
  const houses = [plain, { ...plain, ...named }].map((settings) => createHouse({ providers: [settings] }));
  t.after(async () => {
    for (const house of houses) await house.close();
    await provider.stop();
    impostor.close();
  });
  for (const house of houses) {
    const end = await visit(createBrowser(house, provider.authorize), `https://${appHost}/`);
    assert(end.kind === 'Page' && end.page.kind === 'ProviderUnavailable', JSON.stringify(end));
  }
  assert.equal(heard, 0);
});
