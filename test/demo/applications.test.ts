// The demo's applications, each asked as Sallyport would ask it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { on as eventsOf, once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { WebSocket } from 'ws';
import { startApplications } from '../../demo/applications.ts';
import type { RunningApplications } from '../../demo/applications.ts';
import type { ClockMessage } from '../../demo/clock.ts';
import type { Reflection } from '../../demo/mirror.ts';
import { listenOnLoopback, sendJson, stopServer } from '../../demo/serving.ts';

const host = 'app.localhost:8080';
const keys = await generateKeyPair('ES256');
const otherKeys = await generateKeyPair('ES256');

let applications: RunningApplications;
let publisher: Server;
let hostsAsked: string[] = [];

before(async () => {
  const jwks = { keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] };
  publisher = createServer((request, response) => {
    hostsAsked.push(request.headers.host ?? '');
    sendJson(response, 200, jwks);
  });
  const port = await listenOnLoopback(publisher, 0);
  const jwksUrl = new URL(`http://127.0.0.1:${port}/.well-known/sallyport/jwks.json`);
  applications = await startApplications({ portBase: 0, jwksUrl, tickMs: 20 });
});
after(async () => {
  await applications.stop();
  await stopServer(publisher);
});

/** An assertion for Ana; by default one that is in order. */
function assertion({ audience = host, expires = '5m', key = keys.privateKey, kid = 'one' } = {}): Promise<string> {
  return new SignJWT({ email: 'ana@example.com', name: 'Ana', groups: ['engineering'], sid: 's1' })
    .setProtectedHeader({ alg: 'ES256', kid })
    .setSubject('account-ana')
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime(expires)
    .sign(key);
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Asks with exactly these headers, Host included. */
async function ask(port: number, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const call = httpRequest({
    host: '127.0.0.1',
    port,
    path,
    method,
    headers: { host, ...headers },
    agent: false,
  }).end();
  const [answer] = await once(call, 'response');
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode, headers: answer.headers, text };
}

async function reflectionOf(headers: Record<string, string>): Promise<Reflection> {
  const answer = await ask(applications.mirrorPort, '/json', headers);
  return JSON.parse(answer.text) as Reflection;
}

describe('the mirror', () => {
  test('tells method, path and headers of any request as JSON', async () => {
    const accept = { accept: 'application/json', 'X-Team': 'red' };
    const answer = await ask(applications.mirrorPort, '/a/b?c=d', accept, 'DELETE');
    const reflection = JSON.parse(answer.text) as Reflection;
    assert.equal(reflection.method, 'DELETE');
    assert.equal(reflection.path, '/a/b?c=d');
    assert.equal(reflection.headers['x-team'], 'red');
    assert(reflection.rawHeaders.some(([name, value]) => name === 'X-Team' && value === 'red'));
    assert.equal(reflection.identity, null);
    assert.equal(reflection.assertion, null);
  });

  test("verifies the assertion with the keys that the request's own host publishes", async () => {
    hostsAsked = [];
    const reflection = await reflectionOf({ 'x-sallyport-jwt-assertion': await assertion() });
    assert.equal(reflection.assertion?.verified, true);
    const expected = { user: 'account-ana', email: 'ana@example.com', name: 'Ana', groups: ['engineering'] };
    assert.deepEqual(reflection.identity, expected);
    assert.deepEqual(hostsAsked, [host]);
  });

  test('accepts an audience without the port', async () => {
    const token = await assertion({ audience: 'app.localhost' });
    assert.equal((await reflectionOf({ 'x-sallyport-jwt-assertion': token })).assertion?.verified, true);
  });

  const unproven: Record<string, () => Promise<string>> = {
    'for another host': () => assertion({ audience: 'other.localhost' }),
    'that has expired': () => assertion({ expires: '-10s' }),
    'signed with another key': () => assertion({ key: otherKeys.privateKey }),
    'of a key that is not published': () => assertion({ key: otherKeys.privateKey, kid: 'two' }),
    'that is no JWT': async () => 'nonsense',
    'with its signature cut off': async () => (await assertion()).replace(/[^.]*$/, ''),
  };
  for (const [what, make] of Object.entries(unproven)) {
    test(`believes nobody on an assertion ${what}`, async () => {
      const reflection = await reflectionOf({ 'x-sallyport-jwt-assertion': await make() });
      assert.equal(reflection.identity, null);
      assert(reflection.assertion !== null && !reflection.assertion.verified);
      assert.notEqual(reflection.assertion.error, '');
    });
  }

  test('puts nothing of a request into its page unescaped', async () => {
    const attack = '<script>alert(1)</script>"\'';
    const forged = { 'x-evil': attack, 'x-sallyport-jwt-assertion': attack };
    const { text } = await ask(applications.mirrorPort, '/%3Cb%3E?"><script>alert(2)</script>', forged);
    assert.match(text, /&lt;script&gt;alert\(1\)&lt;\/script&gt;&quot;&#39;/);
    assert.match(text, /&lt;script&gt;alert\(2\)/);
    assert.doesNotMatch(text, /<script/);
  });
});

describe('the clock', () => {
  test('ticks over server-sent events', async () => {
    const leaving = new AbortController();
    const response = await fetch(`http://127.0.0.1:${applications.clockPort}/events`, { signal: leaving.signal });
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      if ((text.match(/event: tick\ndata: \{"kind":"tick","now":"[^"]+"\}\n\n/g) ?? []).length >= 2) break;
    }
    leaving.abort();
  });

  test('ticks over a WebSocket, and echoes with the identity of the upgrade request', async () => {
    const headers = { host, 'x-sallyport-jwt-assertion': await assertion() };
    const messages = await talk({ headers }, 'hello', 2);
    const identity = { user: 'account-ana', email: 'ana@example.com', name: 'Ana', groups: ['engineering'] };
    assert.deepEqual(
      messages.find((message) => message.kind === 'echo'),
      { kind: 'echo', text: 'hello', identity },
    );
    assert(messages.some((message) => message.kind === 'tick'));
  });

  test('echoes as nobody without an assertion that verifies', async () => {
    const headers = { host, 'x-sallyport-jwt-assertion': await assertion({ key: otherKeys.privateKey }) };
    const messages = await talk({ headers }, 'hello', 1);
    const echo = messages.find((message) => message.kind === 'echo');
    assert.deepEqual(echo, { kind: 'echo', text: 'hello', identity: null });
  });

  test("refuses a WebSocket that another site's page opens, and one at another path", async () => {
    const refused = { '/socket': ['http://evil.localhost:8080', 403], '/other': [`http://${host}`, 404] } as const;
    for (const [path, [origin, status]] of Object.entries(refused)) {
      const socket = new WebSocket(`ws://127.0.0.1:${applications.clockPort}${path}`, { headers: { host }, origin });
      const [, response] = await once(socket, 'unexpected-response');
      assert.equal(response.statusCode, status);
      socket.on('error', () => {});
      socket.terminate();
    }
  });

  test('ends a WebSocket that sends too much at once', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${applications.clockPort}/socket`);
    await once(socket, 'open');
    socket.send('x'.repeat(5000));
    const [code] = await once(socket, 'close');
    assert.equal(code, 1009);
  });

  async function talk(options: { headers: Record<string, string> }, text: string, ticks: number) {
    const socket = new WebSocket(`ws://127.0.0.1:${applications.clockPort}/socket`, {
      ...options,
      origin: `http://${host}`,
    });
    const messages: ClockMessage[] = [];
    await once(socket, 'open');
    socket.send(text);
    for await (const [message] of eventsOf(socket, 'message')) {
      messages.push(JSON.parse(String(message)) as ClockMessage);
      const ticked = messages.filter((one) => one.kind === 'tick').length;
      if (ticked >= ticks && messages.length > ticked) break;
    }
    socket.terminate();
    return messages;
  }
});

test('the welcome page leads to the other hosts at the same port', async () => {
  const { text } = await ask(applications.welcomePort, '/', { host: 'welcome.localhost:8080' });
  for (const name of ['app', 'clock', 'engineering'])
    assert.match(text, new RegExp(`href="//${name}\\.localhost:8080/"`));
});

test('every page forbids all that is not its own, by its headers', async () => {
  const { mirrorPort, clockPort, welcomePort } = applications;
  for (const port of [mirrorPort, clockPort, welcomePort]) {
    const { headers, text } = await ask(port, '/');
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /^default-src 'none';/);
    assert.doesNotMatch(policy, /unsafe|\*|http/);
    for (const [, name, content = ''] of text.matchAll(/<(style|script)>(.*?)<\/\1>/gs)) {
      const hash = createHash('sha256').update(content).digest('base64');
      assert(policy.includes(`${name}-src 'sha256-${hash}'`), `the policy forbids the page's own ${name}`);
    }
    assert.doesNotMatch(text, /(?:src|href|@import)\s*[=(]?\s*["']?https?:/);
  }
});

test('stopping ends open streams and WebSockets, and a second start on a taken port fails whole', async () => {
  const own = await startApplications({ portBase: 0, jwksUrl: new URL('http://127.0.0.1:1/') });
  const base = own.clockPort - 2;
  await assert.rejects(startApplications({ portBase: base, jwksUrl: new URL('http://127.0.0.1:1/') }), {
    code: 'EADDRINUSE',
  });
  const socket = new WebSocket(`ws://127.0.0.1:${own.clockPort}/socket`);
  await once(socket, 'open');
  const stream = await fetch(`http://127.0.0.1:${own.clockPort}/events`);
  const closed = once(socket, 'close');
  await own.stop();
  await closed;
  await assert.rejects(stream.text());
});
