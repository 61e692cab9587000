// Replays the one-time code of an application's host, with all the cookies of the time (CVE-2026-47341: replay for ever).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  appHost,
  assertArrived,
  assertFailed,
  assertNoSession,
  codeCallbackUrl,
  copyOf,
  layGround,
  visit,
  visitUntil,
} from './rig.ts';

test('a one-time code works once: in the same browser, and for a thief of its cookies', async (t) => {
  const { victim } = await layGround(t);
  const callback = await visitUntil(victim, `https://${appHost}/`, codeCallbackUrl);
  const thief = copyOf(victim);
  assertArrived(await visit(victim, callback), `https://${appHost}/`);
  assertFailed(await visit(victim, callback));
  assertFailed(await visit(thief, callback));
  await assertNoSession(thief, appHost);
});

test('of ten that bring one code with its cookies at the same moment, one gets in', async (t) => {
  const { victim } = await layGround(t);
  const callback = await visitUntil(victim, `https://${appHost}/`, codeCallbackUrl);
  const all = await Promise.all(Array.from({ length: 10 }, () => visit(copyOf(victim), callback)));
  assert.equal(all.filter(({ kind }) => kind === 'Application').length, 1);
});

test('a code that nobody fetched is worth nothing after a minute', async (t) => {
  const { victim, house } = await layGround(t);
  const callback = await visitUntil(victim, `https://${appHost}/`, codeCallbackUrl);
  house.clock.offsetMs += 61_000;
  assertFailed(await visit(victim, callback));
});
