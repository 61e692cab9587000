// CVE-2022-31151, CVE-2023-45143, CVE-2024-30260: on a redirect to another origin the credentials went along.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { appHost, layGround, visit } from './rig.ts';

test('what is asked of a provider with the client’s secret is asked of nobody else', async (t) => {
  const heard: string[] = [];
  const evil = createServer((request, response) => {
    heard.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`);
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
  t.after(() => evil.close());
  const elsewhere = `http://127.0.0.1:${(evil.address() as AddressInfo).port}/`;
  for (const path of ['/.well-known/openid-configuration', '/token', '/jwks']) {
    for (const status of [301, 302, 303, 307, 308]) {
      const { house, victim, provider } = await layGround(t);
      provider.behaviour.instead.set(path, (_, response) => {
        response.writeHead(status, { location: elsewhere }).end();
      });
      const end = await visit(victim, `https://${appHost}/`);
      assert.equal(end.kind, 'Page', `${path} ${status}`);
      assert.deepEqual(house.watched.writes, []);
    }
  }
  assert.deepEqual(heard, []);
});
