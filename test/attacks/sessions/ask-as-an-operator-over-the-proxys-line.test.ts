// A proxy that was taken over asks `auth` what only operators may: which sessions there are, and that others end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAuthRole } from '../../../src/roles/auth.ts';
import { memoryLink } from '../../../src/roles/messages.ts';
import type {
  AuthorityQuestion,
  AuthorityReply,
  OperatorsQuestion,
  OperatorsReply,
  SettingsMessage,
} from '../../../src/roles/messages.ts';
import { askOperators } from '../../../src/roles/operators.ts';
import { defaultClassSettings } from '../../../src/model/settings.ts';
import { createLogger, createMetrics } from '../../../src/telemetry.ts';

test('it is told that it may not, and nothing happens', async (t) => {
  const [control, fromControl] = memoryLink<SettingsMessage, never>(true);
  const [proxy, toProxy] = memoryLink<AuthorityQuestion, AuthorityReply>(true);
  const [operators, toOperators] = memoryLink<OperatorsQuestion, OperatorsReply>(true);
  const log = createLogger('silent');
  const role = startAuthRole({ fromControl, toProxy, toOperators, log, metrics: createMetrics() });
  t.after(() => role.close());
  control.send({
    type: 'settings',
    settings: { class: defaultClassSettings, providers: [], store: { type: 'Memory' } },
  });
  const replies: unknown[] = [];
  proxy.onMessage((reply) => void replies.push(reply));

  const list = { list: { all: true } };
  const forged: readonly object[] = [
    { ask: 1, question: list },
    { ask: 2, type: 'operators', question: list },
    { ask: 3, type: 'list', list: { all: true } },
    { ask: 4, type: 'operate', question: list },
    { ask: 5, type: 'constructor' },
    { ask: 6, type: 'find', of: 'session', name: 'person', value: 'x' },
    { ask: 7, type: 'page', of: 'session' },
    // An answer to a question that was never asked.
    { ask: 8, type: 'settled' },
  ];
  for (const question of forged) proxy.send(question as AuthorityQuestion);

  // The right line answers the same question: there was something to be told.
  assert.deepEqual(await askOperators(operators)(list), { ok: { sessions: [] } });
  assert.deepEqual(
    replies,
    forged.slice(0, 7).map((_, index) => ({
      type: 'failed',
      ask: index + 1,
      code: 'internal',
      message: 'no proxy may ask this',
    })),
  );
});
