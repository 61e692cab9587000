// Sends logout tokens without end to an endpoint that anybody may call: each would cost a signature's check, a fetch of keys, a search of the store.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { sendJson, signWith } from '../../auth/fake-provider.ts';
import { claimsOf, people, sign, statusOf, tell } from '../../auth/logout-rig.ts';

test('keys that nobody has are asked for once, and the store is not asked at all', async (t) => {
  const ground = await people(t);
  const { house, provider } = ground;
  let finds = 0;
  const { find, read } = house.watched.store;
  Object.assign(house.watched.store, {
    find: (...asked: Parameters<typeof find>) => ((finds += 1), find(...asked)),
    read: (...asked: Parameters<typeof read>) => ((finds += 1), read(...asked)),
  });
  const before = provider.calls.get('/jwks') ?? 0;
  for (let sent = 0; sent < 200; sent += 1) {
    const header = { alg: 'ES256', kid: randomUUID() };
    const token = await signWith(provider.privateKey, claimsOf(provider, { sub: 'ana' }), header);
    assert.equal(statusOf(await tell(ground, token)), 400);
  }
  assert((provider.calls.get('/jwks') ?? 0) - before <= 1, `${provider.calls.get('/jwks')}`);
  assert.equal(finds, 0);
  assert.equal(statusOf(await tell(ground, await sign(provider, { sub: 'ana' }))), 200);
});

test('while keys are waited for, a few wait and the others hear so at once', async (t) => {
  const ground = await people(t);
  const { house, provider } = ground;
  house.authority.update({ class: house.settings, providers: [], keyRing: house.ring });
  house.authority.update({ class: house.settings, providers: [provider.settings], keyRing: house.ring });
  const waiting: ServerResponse[] = [];
  provider.behaviour.instead.set('/jwks', (_, response) => void waiting.push(response));
  const token = await sign(provider, { sub: 'nobody' });
  let answered = 0;
  const all = Array.from({ length: 100 }, async () => {
    const answer = await tell(ground, token);
    answered += 1;
    return statusOf(answer);
  });
  for (let round = 0; waiting.length === 0 && round < 500; round += 1) await delay(10);
  assert.equal(answered, 84);
  assert.equal(waiting.length, 1);
  for (const response of waiting) sendJson(response, 200, { keys: [provider.publicJwk] });
  const statuses = await Promise.all(all);
  assert.deepEqual(
    [200, 400, 'ProviderUnavailable'].map((status) => statuses.filter((one) => one === status).length),
    [1, 15, 84],
  );
});
