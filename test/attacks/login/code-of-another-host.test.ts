// A hostile application uses the code that was made for its host on another application's host (CVE-2026-48895: a host that the client chose).
import { test } from 'node:test';
import {
  appHost,
  assertFailed,
  assertNoSession,
  codeCallbackUrl,
  cookiesFor,
  layGround,
  otherHost,
  visit,
  visitUntil,
} from './rig.ts';

test('a code for host A is refused at host B, with whatever cookies', async (t) => {
  const { victim } = await layGround(t);
  const code = await visitUntil(victim, `https://${appHost}/`, codeCallbackUrl);
  await visitUntil(victim, `https://${otherHost}/`, codeCallbackUrl);
  const moved = new URL(code);
  moved.host = otherHost;
  assertFailed(await visit(victim, moved));
  await assertNoSession(victim, otherHost);
});

test('a code for a host is refused at another port of it', async (t) => {
  const { victim } = await layGround(t);
  const code = await visitUntil(victim, `https://${appHost}/`, codeCallbackUrl);
  // Cookies know no ports: the flow cookie is there.
  const moved = new URL(code);
  moved.port = '8443';
  assertFailed(await visit(victim, moved));
  await assertNoSession(victim, appHost);
});

test("a flow cookie that is carried to another host is not that host's", async (t) => {
  const { victim } = await layGround(t);
  const code = await visitUntil(victim, `https://${appHost}/`, codeCallbackUrl);
  for (const [name, cookie] of cookiesFor(victim, appHost)) cookiesFor(victim, otherHost).set(name, cookie);
  const moved = new URL(code);
  moved.host = otherHost;
  assertFailed(await visit(victim, moved));
  await assertNoSession(victim, otherHost);
});
