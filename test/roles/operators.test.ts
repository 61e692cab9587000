// The operators' line to `auth`, and what a replica waits for before it confirms that sessions have ended.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Confirmation } from '../../src/auth/revocation/revocation.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import { startAuthRole } from '../../src/roles/auth.ts';
import { memoryLink } from '../../src/roles/messages.ts';
import type {
  AuthorityQuestion,
  AuthorityReply,
  OperatorsQuestion,
  OperatorsReply,
  SettingsMessage,
} from '../../src/roles/messages.ts';
import { answerOperators, askOperators } from '../../src/roles/operators.ts';
import { askAuthority } from '../../src/roles/proxy.ts';
import { createLogger, createMetrics } from '../../src/telemetry.ts';

const log = createLogger('silent');

function startAuth(t: TestContext) {
  const [control, fromControl] = memoryLink<SettingsMessage, never>(true);
  const [proxy, toProxy] = memoryLink<AuthorityQuestion, AuthorityReply>(true);
  const [operators, toOperators] = memoryLink<OperatorsQuestion, OperatorsReply>(true);
  const role = startAuthRole({ fromControl, toProxy, toOperators, replica: 'one', log, metrics: createMetrics() });
  t.after(() => role.close());
  const settings = { class: defaultClassSettings, providers: [], store: { type: 'Memory' } } as const;
  control.send({ type: 'settings', settings });
  return { proxy, ask: askOperators(operators) };
}

async function announce(ask: ReturnType<typeof askOperators>): Promise<readonly Confirmation[]> {
  const operated = await ask({ announce: ['A'.repeat(22)], by: 'root', replicas: 1 });
  assert.ok('ok' in operated && 'confirmed' in operated.ok, JSON.stringify(operated));
  return operated.ok.confirmed;
}

test('a replica confirms once its proxy has acted on all that it was told', async (t) => {
  const { proxy, ask } = startAuth(t);
  const heldMs = 300;
  proxy.onMessage((reply) => {
    if (reply.type === 'settle') void delay(heldMs).then(() => proxy.send({ type: 'settled', ask: reply.ask }));
  });
  const [confirmed] = await announce(ask);
  assert.equal(confirmed?.replica, 'one');
  // A timer may end up to a millisecond early.
  assert.ok((confirmed?.afterMs ?? 0) >= heldMs - 5, `after ${confirmed?.afterMs} ms`);
});

test('a replica whose proxy is silent confirms nothing', async (t) => {
  const { ask } = startAuth(t);
  assert.deepEqual(await announce(ask), []);
});

test('the data path answers by itself, after the ends that came before', async () => {
  const [auth, proxy] = memoryLink<AuthorityReply, AuthorityQuestion>(true);
  const order: string[] = [];
  auth.onMessage((question) => void order.push(`${question.type} ${question.ask}`));
  askAuthority(proxy).onEnded((ids) => void order.push(`ended ${ids.join()}`));
  auth.send({ type: 'ended', sessions: ['a'] });
  auth.send({ type: 'settle', ask: 7 });
  await delay(10);
  assert.deepEqual(order, ['ended a', 'settled 7']);
});

test('what auth cannot answer is told, and nothing of why but in its log', async () => {
  const [operators, auth] = memoryLink<OperatorsQuestion, OperatorsReply>(true);
  answerOperators(auth, () => Promise.reject(new Error('the secret reason')), log);
  assert.deepEqual(await askOperators(operators)({}), {
    failed: 'Unavailable',
    message: 'auth failed to answer: its log says why',
  });
});
