// `sallyport sessions`, as a person runs it against an instance whose answers are known.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startAdmin } from '../../src/admin/server.ts';
import type { Admin, Answered } from '../../src/admin/server.ts';
import type { OperatorsQuestion } from '../../src/auth/revocation/operations.ts';
import type { Ended } from '../../src/auth/revocation/revocation.ts';
import type { ListedSession } from '../../src/auth/revocation/roster.ts';
import type { Outcome } from '../../src/cli/revoke.ts';
import { sessions } from '../../src/cli/sessions.ts';
import type { Terminal } from '../../src/cli/sessions.ts';
import { UsageError } from '../../src/cli/settings.ts';
import { createMetrics } from '../../src/telemetry.ts';
import { assertGolden, sallyport } from './golden.ts';

const at = (text: string) => Date.parse(`2026-03-04T${text}Z`);
const anas: ListedSession = {
  id: 'Qk3vYw0hT6u1nZ5rXb8sAg',
  person: 'ana@example.com',
  user: 's-ana',
  provider: 'okta',
  device: 'Firefox on Windows',
  userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
  address: '192.0.2.7',
  createdAt: at('08:01:02'),
  usedAt: at('09:30:00'),
  refreshedAt: at('09:01:00'),
  expiresAt: at('22:01:02'),
};
const phone = { ...anas, id: 'Qk3vYw0hZZZZZZZZZZZZZg', device: 'Safari on iPhone', createdAt: at('07:00:00') };
const eves = { ...anas, id: 'm1m1m1m1m1m1m1m1m1m1m1', person: 'eve\u001b[2J@example.org', provider: 'github' };
const unread: ListedSession = { id: 'u0u0u0u0u0u0u0u0u0u0u0', expiresAt: at('23:00:00') };

const folder = mkdtempSync(join(tmpdir(), 'sallyport-sessions-'));
const tokenFile = join(folder, 'token');
let admin: Admin;
let asked: OperatorsQuestion[];
let held: readonly ListedSession[];
/** What is ended of what is asked for. */
let end: (ids: readonly string[]) => Ended;
let confirm: () => Answered;
/** Answers some questions otherwise. */
let override: (question: OperatorsQuestion) => Answered | undefined;

function answer(question: unknown): Answered {
  const one = question as OperatorsQuestion;
  asked.push(one);
  const other = override(one);
  if (other !== undefined) return other;
  if ('end' in one) return { ok: end(one.end) };
  if ('announce' in one) return confirm();
  const start = Number(one.cursor ?? '0');
  // Pages of two that overlap by one.
  const next = start + 2 < held.length ? { next: String(start + 1) } : {};
  return { ok: { sessions: held.slice(start, start + 2), ...next } };
}

before(async () => {
  const questions = { '/explain': answer, '/access': answer, '/sessions': answer };
  admin = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    metrics: createMetrics(),
    isReady: () => true,
    operators: { token: 'secret', table: () => assert.fail(), diagnostics: () => [], questions },
  });
  writeFileSync(tokenFile, 'secret\n');
});
after(async () => {
  await admin.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  asked = [];
  override = () => undefined;
  held = [eves, anas, phone, unread];
  end = (ids) => ({ ended: ids.length, absent: 0, failed: [] });
  confirm = () => ({
    ok: {
      confirmed: [
        { replica: 'sallyport-5d8c-abcde', afterMs: 7 },
        { replica: 'sallyport-5d8c-x', afterMs: 31 },
      ],
    },
  });
});

async function run(args: readonly string[], answers?: string) {
  const printed: string[] = [];
  const noted: string[] = [];
  const terminal: Terminal = {
    isPresent: answers !== undefined,
    async ask(question) {
      noted.push(question);
      return answers ?? assert.fail('nobody is there to be asked');
    },
    note: (text) => void noted.push(text),
  };
  const to = ['--admin', `127.0.0.1:${admin.port}`, '--admin-token-file', tokenFile];
  const code = await sessions([...args, ...to], (text) => void printed.push(text), terminal);
  return { code, text: printed.join('\n'), noted };
}

/** How long it took is another each time. */
const timeless = (text: string) => text.replace(/in \d+ ms/, 'in N ms');

describe('list and show', () => {
  test('sessions as a table', async () => {
    const { code, text } = await run(['list', '--all']);
    assert.equal(code, 0);
    assertGolden('sessions as a table', text);
  });

  test('one session in full', async () => {
    held = [anas];
    const { text } = await run(['show', '--id', anas.id]);
    assertGolden('sessions, one in full', text);
    assert.deepEqual(asked, [{ list: { id: anas.id } }]);
  });

  test('a session that cannot be read', async () => {
    held = [unread];
    assertGolden('sessions, one that cannot be read', (await run(['show', '--id', unread.id])).text);
  });

  test('nobody', async () => {
    held = [];
    assert.deepEqual(await run(['list', '--person', 'bob@example.com']), {
      code: 0,
      text: 'No session is found.',
      noted: [],
    });
    assert.equal((await run(['show', '--person', 'bob@example.com'])).code, 1);
  });

  test('-o json says the same to a program, each session once', async () => {
    const { text } = await run(['list', '--all', '-o', 'json']);
    const found = JSON.parse(text) as ListedSession[];
    assert.deepEqual(new Set(found.map(({ id }) => id)), new Set(held.map(({ id }) => id)));
    assert.equal(found.length, 4);
  });
});

describe('revoke', () => {
  test('asks first, then says what ended and who confirmed it', async () => {
    held = [anas, phone];
    const { code, text, noted } = await run(['revoke', '--person', 'ana@example.com', '--replicas', '2'], 'y\n');
    assert.equal(code, 0);
    assert.deepEqual(noted, ['End these 2 sessions? [y/N] ']);
    assertGolden('sessions revoked', timeless(text));
    const [, ended, told] = asked;
    assert.ok(ended && 'end' in ended && told && 'announce' in told);
    assert.deepEqual(ended.end, [phone.id, anas.id]);
    assert.deepEqual([told.announce, told.replicas], [ended.end, 2]);
  });

  test('ends nothing where the answer is no, nothing, or something else', async () => {
    held = [anas];
    for (const said of ['n', '', 'yesterday']) assert.equal((await run(['revoke', '--all'], said)).code, 1);
    assert.ok(asked.every((question) => 'list' in question));
  });

  test('wants --yes where nobody can be asked, before anything is asked of the instance', async () => {
    await assert.rejects(run(['revoke', '--all']), UsageError);
    assert.deepEqual(asked, []);
    assert.equal((await run(['revoke', '--all', '--yes'])).code, 0);
    const process = sallyport(['sessions', 'revoke', '--all']);
    assert.equal(process.status, 2);
    assert.match(process.stderr, /no terminal/);
  });

  test('fails where fewer replicas confirm than must, or none does', async () => {
    held = [anas];
    const { code, text } = await run(['revoke', '--all', '--yes', '--replicas', '3']);
    assert.equal(code, 1);
    assertGolden('sessions revoked, a replica missing', timeless(text));
    confirm = () => ({ ok: { confirmed: [] } });
    const silent = await run(['revoke', '--all', '--yes']);
    assert.equal(silent.code, 1);
    assert.match(silent.text, /^No replica confirmed it/m);
    confirm = () => ({ failed: 'Unavailable', message: 'the session store does not answer' });
    const untold = await run(['revoke', '--all', '--yes']);
    assert.equal(untold.code, 1);
    assert.match(untold.text, /^No replica was asked to confirm it: the session store does not answer\.$/m);
  });

  test('an id that is the beginning of several is refused, and they are named', async () => {
    held = [anas, phone];
    await assert.rejects(run(['revoke', '--id', 'Qk3vYw0h', '--yes']), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, new RegExp(anas.id));
      assert.match(error.message, new RegExp(phone.id));
      return true;
    });
    assert.ok(asked.every((question) => 'list' in question));
  });

  test('ten thousand, a hundred at a time, with how far it is', async () => {
    held = Array.from({ length: 10_000 }, (_, index) => ({ ...anas, id: `${index}`.padStart(22, 'x') }));
    const all = held;
    const page = (start: number) => ({
      sessions: all.slice(start, start + 500),
      ...(start + 500 < 10_000 && { next: `${start + 500}` }),
    });
    override = (question) => ('list' in question ? { ok: page(Number(question.cursor ?? '0')) } : undefined);
    const { code, text, noted } = await run(['revoke', '--all', '--yes']);
    assert.equal(code, 0);
    assert.match(text, /^Ended 10000 of 10000 sessions/m);
    assert.match(text, /… and 9980 more/);
    assert.equal(noted.length, 10);
    assert.equal(noted.at(-1), '10000 of 10000');
    const told = asked.flatMap((question) => ('announce' in question ? question.announce : []));
    assert.deepEqual(new Set(told).size, 10_000);
  });

  test('what did not end is told, and nothing else is claimed', async () => {
    held = [anas, phone, eves];
    end = (ids) => ({ ended: 1, absent: 1, failed: ids.slice(2), reason: 'the session store does not answer' });
    const { code, text } = await run(['revoke', '--all', '--yes']);
    assert.equal(code, 1);
    assertGolden('sessions revoked in part', timeless(text));
    const told = asked.find((question) => 'announce' in question);
    assert.equal(told?.announce.length, 2);
    const { text: json } = await run(['revoke', '--all', '--yes', '-o', 'json']);
    const outcome = JSON.parse(json) as Outcome;
    assert.deepEqual([outcome.found, outcome.ended, outcome.absent, outcome.failed.length], [3, 1, 1, 1]);
  });
});

test('wrong usage is told in one line', async () => {
  for (const args of [
    [],
    ['end', '--all'],
    ['list'],
    ['list', '--all', '--person', 'a@b'],
    ['list', '--all', '--yes'],
    ['list', '--all', '-o', 'yaml'],
    ['list', '--id', 'short'],
    ['list', '--id', 'has spaces in it'],
    ['revoke', '--all', '--yes', '--replicas', '0'],
    ['revoke', '--all', '--nonsense'],
  ]) {
    await assert.rejects(
      run(args),
      (error) => error instanceof UsageError && !error.message.includes('\n'),
      args.join(' '),
    );
  }
  assert.deepEqual(asked, []);
});
