// Signs with what everybody knows or says where the key is: algorithm confusion, none, jku, x5u, jwk, kid as a path (CVE-2026-39999, CVE-2018-0114).
import assert from 'node:assert/strict';
import { KeyObject, createPublicKey, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { exportJWK, generateKeyPair } from 'jose';
import { claimsOf, headerOf, layTokens, signWith } from './rig.ts';

const unverified = 'The signature of the token cannot be verified.';
const algorithm = 'The algorithm of the token is not accepted.';

test('no token counts that the published key did not sign', async (t) => {
  const { provider, foreignKey, refusal, open, token } = await layTokens(t);
  const claims = claimsOf(provider);
  const pem = createPublicKey({ key: provider.publicJwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const good = await token();
  const [header = '', payload = '', signature = ''] = good.split('.');
  await open(good);
  const forgeries: readonly (readonly [string, string])[] = [
    [await signWith(Buffer.from(pem), claims, headerOf({ alg: 'HS256' })), algorithm],
    [await signWith(Buffer.from(JSON.stringify(provider.publicJwk)), claims, headerOf({ alg: 'HS512' })), algorithm],
    [await signWith(foreignKey, claims, headerOf()), unverified],
    [`${part(headerOf({ alg: 'none' }))}.${part(claims)}.`, algorithm],
    [`${part(headerOf({ alg: 'None' }))}.${part(claims)}.${signature}`, algorithm],
    [`${part(headerOf())}.${part(claims)}.`, unverified],
    [`${header}.${part({ ...claims, sub: 'root' })}.${signature}`, unverified],
    [`${header}.${payload}.${signature.slice(0, -4)}AAAA`, unverified],
  ];
  for (const [forgery, sentence] of forgeries) assert.equal(await refusal(forgery), sentence, forgery);
});

test('nothing in the header says where the key comes from', async (t) => {
  const { provider, refusal } = await layTokens(t);
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'mine', alg: 'ES256' };
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.end(JSON.stringify({ keys: [jwk] }));
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((resolve) => void server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  for (const header of [
    { jku: url, kid: 'mine' },
    { x5u: url, kid: 'mine' },
    { jwk },
    { jwk, kid: 'fake-1' },
    { kid: url },
    { kid: '../../../../dev/null' },
    { kid: "' union select 'x" },
    { kid: '__proto__' },
    { kid: 'constructor' },
  ]) {
    assert.equal(await refusal(await signWith(privateKey, claimsOf(provider), headerOf(header))), unverified);
  }
  assert.equal(asked, 0);
});

test('a header that asks for more than we know is refused, however well it is signed', async (t) => {
  const { provider, refusal, open } = await layTokens(t);
  const key = KeyObject.from(provider.privateKey);
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = (header: Record<string, unknown>): string => {
    const text = `${part(headerOf(header))}.${part(claimsOf(provider))}`;
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
  await open(signed({}));
  for (const header of [{ crit: ['x'], x: 1 }, { crit: [] }, { b64: false, crit: ['b64'] }]) {
    assert.equal(await refusal(signed(header)), 'The token cannot be read.', JSON.stringify(header));
  }
});
