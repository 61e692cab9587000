// The private ports: who may ask what, and what a page in an operator's browser may not.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { startAdmin } from '../../src/admin/server.ts';
import type { Admin, Answered } from '../../src/admin/server.ts';
import { Redacted } from '../../src/model/diagnostic.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import { createMetrics } from '../../src/telemetry.ts';

let isReady = false;
let admin: Admin;
let probes: Admin;
const certificate = { name: 'a/b', chain: 'PEM', key: new Redacted('THE-PRIVATE-KEY'), expiresAt: 0 };
const route = {
  id: 'a/b c/',
  ingress: { namespace: 'a', name: 'b' },
  path: '/',
  match: 'Prefix' as const,
  access: { policies: [], defaultAccess: 'Deny' as const },
  providers: [],
};
const table = {
  generation: 1,
  settings: defaultClassSettings,
  hosts: new Map([['c', { host: 'c', routes: [route], certificate }]]),
};

/** Answers with the question, or as the question asks for. */
function echoed(question: unknown): Answered {
  if (question === 'what?') return { failed: 'NotUnderstood', message: 'ask otherwise' };
  if (question === 'now?') return { failed: 'Unavailable', message: 'not now' };
  return question === 'where?' ? { failed: 'NotFound', message: 'not here' } : { ok: { asked: question } };
}

before(async () => {
  const common = { host: '127.0.0.1', port: 0, metrics: createMetrics(), isReady: () => isReady };
  probes = await startAdmin(common);
  const questions = {
    '/explain': echoed,
    '/access': echoed,
    '/sessions': async (question: unknown) => echoed(question),
  };
  const operators = { token: 'secret', table: () => table, diagnostics: () => [], questions };
  admin = await startAdmin({ ...common, operators });
});
after(() => Promise.all([admin.close(), probes.close()]));

function ask(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  question?: string,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    outgoing.on('error', reject);
    outgoing.end(question);
  });
}

const authorization = 'Bearer secret';

test('readyz says when the first table is served; livez always', async () => {
  assert.equal((await ask(probes.port, '/readyz')).status, 503);
  assert.equal((await ask(probes.port, '/livez')).status, 200);
  isReady = true;
  assert.equal((await ask(probes.port, '/readyz')).status, 200);
});

test('the table needs the token, and is never on the probes port', async () => {
  for (const headers of [
    {},
    { authorization: 'Bearer wrong!' },
    { authorization: 'secret' },
    { authorization: 'Bearer secret2' },
  ]) {
    assert.equal((await ask(admin.port, '/routes', headers as Record<string, string>)).status, 401);
  }
  assert.equal((await ask(admin.port, '/routes', { authorization })).status, 200);
  assert.equal((await ask(probes.port, '/routes', { authorization })).status, 404);
});

test('a name that is not this machine’s is refused, even with the token (DNS rebinding)', async () => {
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example']) {
    assert.equal((await ask(admin.port, '/routes', { authorization, host })).status, 421, host);
  }
  for (const host of ['localhost', 'localhost:9090', '127.0.0.1:9090', '[::1]:9090']) {
    assert.equal((await ask(admin.port, '/routes', { authorization, host })).status, 200, host);
  }
});

test('no answer holds a private key', async () => {
  for (const path of ['/routes', '/diagnostics', '/metrics']) {
    assert.doesNotMatch((await ask(admin.port, path, { authorization })).body, /THE-PRIVATE-KEY/);
  }
});

test('what is shown is got, and what is asked is posted', async () => {
  assert.equal((await ask(admin.port, '/routes', { authorization }, 'POST')).status, 405);
  assert.equal((await ask(admin.port, '/explain', { authorization })).status, 405);
  assert.equal((await ask(admin.port, '/explain', { authorization }, 'PUT', '{}')).status, 405);
});

test('a question is answered as JSON, to whoever holds the token and asks by a name of this machine', async () => {
  const post = (question: string, headers: Record<string, string> = { authorization }, path = '/explain') =>
    ask(admin.port, path, headers, 'POST', question);
  for (const path of ['/explain', '/access', '/sessions']) {
    const { status, body } = await post('{"url":"x"}', { authorization }, path);
    assert.deepEqual([status, JSON.parse(body)], [200, { asked: { url: 'x' } }]);
    assert.equal((await post('{}', {}, path)).status, 401);
    assert.equal((await post('{}', { authorization: 'Bearer secreT' }, path)).status, 401);
    assert.equal((await post('{}', { authorization, host: 'evil.example' }, path)).status, 421);
    assert.equal((await ask(probes.port, path, { authorization }, 'POST', '{}')).status, 405);
  }
  assert.deepEqual(await post('"what?"'), { status: 400, body: 'ask otherwise\n' });
  assert.deepEqual(await post('"where?"'), { status: 404, body: 'not here\n' });
  assert.deepEqual(await post('"now?"'), { status: 503, body: 'not now\n' });
  assert.equal((await post('{')).status, 400);
  assert.equal((await post(`"${'x'.repeat(300_000)}"`)).status, 413);
});

test('before the first table is served nothing is answered of it', async () => {
  isReady = false;
  assert.equal((await ask(admin.port, '/explain', { authorization }, 'POST', '{}')).status, 503);
  isReady = true;
});
