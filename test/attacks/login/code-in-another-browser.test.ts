// Login CSRF on an application's host: the attacker's one-time code in the victim's browser; and the victim's in the attacker's (CVE-2025-52553).
import { test } from 'node:test';
import {
  appHost,
  assertArrived,
  assertFailed,
  assertNoSession,
  codeCallbackUrl,
  flowNames,
  layGround,
  visit,
  visitUntil,
} from './rig.ts';

test("the attacker's code signs nobody in anywhere but in the attacker's browser", async (t) => {
  const { victim, attacker } = await layGround(t);
  const theirs = await visitUntil(attacker, `https://${appHost}/`, codeCallbackUrl);
  assertFailed(await visit(victim, theirs));
  await assertNoSession(victim, appHost);
});

test("the victim's code is worth nothing to whoever reads it in a log", async (t) => {
  const { victim, attacker } = await layGround(t);
  const code = await visitUntil(victim, `https://${appHost}/`, codeCallbackUrl);
  assertFailed(await visit(attacker, code));
  await assertNoSession(attacker, appHost);
  assertArrived(await visit(victim, code), `https://${appHost}/`);
});

test("a code does not go with another browser's flow cookie, nor with another flow of the same browser", async (t) => {
  const { victim, attacker } = await layGround(t);
  const code = await visitUntil(victim, `https://${appHost}/`, codeCallbackUrl);
  await visitUntil(attacker, `https://${appHost}/`, codeCallbackUrl);
  const [own = ''] = flowNames(attacker, appHost);
  code.searchParams.set('flow', own.slice(-8));
  assertFailed(await visit(attacker, code));
  await assertNoSession(attacker, appHost);

  const one = await visitUntil(victim, `https://${appHost}/one`, codeCallbackUrl);
  const two = await visitUntil(victim, `https://${appHost}/two`, codeCallbackUrl);
  one.searchParams.set('flow', two.searchParams.get('flow') ?? '');
  assertFailed(await visit(victim, one));
});
