// Sends hundreds of session cookies in one request, each of which the store would be asked for (CVE-2026-47774: many cookies in one request).
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { authHost, layGround, ownRequest } from './rig.ts';

test('one request costs the store a few reads at the most', async (t) => {
  const { house, attacker } = await layGround(t);
  let reads = 0;
  const { read } = house.watched.store;
  Object.assign(house.watched.store, {
    read: (...asked: Parameters<typeof read>) => {
      reads += 1;
      return read(...asked);
    },
  });
  const cookies = Array.from(
    { length: 300 },
    () =>
      [
        '__Host-sallyport',
        `${randomBytes(16).toString('base64url')}.${randomBytes(32).toString('base64url')}`,
      ] as const,
  );
  const url = new URL(`https://${authHost}/.sallyport/user`);
  await house.authority.respond({ ...ownRequest(attacker, url), cookies });
  assert(reads > 0 && reads <= 4, `${reads} reads`);
});
