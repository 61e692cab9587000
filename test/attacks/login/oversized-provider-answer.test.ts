// A provider, or whoever sits in its place, answers without end, or with little that unpacks to much (CVE-2026-26998).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { appHost, layGround, visit } from './rig.ts';

test('an answer over 1 MiB is given up, packed or not, and the person is told to try again', async (t) => {
  const json = { 'content-type': 'application/json' };
  for (const path of ['/.well-known/openid-configuration', '/token', '/jwks']) {
    for (const packed of [true, false]) {
      const { house, victim, provider } = await layGround(t);
      const honest = { issuer: provider.issuer, authorization_endpoint: `${provider.issuer}/authorize`, keys: [] };
      const text = JSON.stringify({ ...honest, padding: ' '.repeat(16 << 20) });
      provider.behaviour.instead.set(path, (_, response) => {
        response.writeHead(200, packed ? { ...json, 'content-encoding': 'gzip' } : json);
        response.end(packed ? gzipSync(text) : text);
      });
      const end = await visit(victim, `https://${appHost}/`);
      assert(end.kind === 'Page' && end.page.kind === 'ProviderUnavailable', JSON.stringify(end));
      assert.deepEqual(house.watched.writes, []);
    }
  }
});
