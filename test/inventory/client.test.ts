// The client's credentials and limits: tokens that are replaced, a server that is wrong about us, answers without end.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createAccess } from '../../src/kubernetes/access.ts';
import { createKubernetesClient, resourcePath } from '../../src/kubernetes/client.ts';
import { inClusterConnection } from '../../src/kubernetes/connect.ts';
import { collections } from '../../src/model/objects.ts';
import { createMetrics } from '../../src/telemetry.ts';

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const connectTo = (server: string) => createKubernetesClient({ server, credentials: async () => ({}) });

test('credentials are read once a minute, at once after doubt, and the old ones serve while they cannot be', async () => {
  let now = 0;
  let reads = 0;
  let broken = false;
  const access = createAccess(
    {
      server: 'https://x',
      credentials: async () => {
        if (broken) throw new Error('half written');
        reads += 1;
        return { ca: reads < 4 ? 'one' : 'two', authorization: `Bearer ${reads}` };
      },
    },
    () => now,
  );
  const first = await access.current();
  now = 59_999;
  assert.equal((await access.current()).credentials.authorization, 'Bearer 1');
  now = 60_000;
  const second = await access.current();
  assert.equal(second.credentials.authorization, 'Bearer 2');
  assert.equal(second.agent, first.agent);
  access.doubt();
  assert.equal((await access.current()).credentials.authorization, 'Bearer 3');
  broken = true;
  now = 200_000;
  assert.equal((await access.current()).credentials.authorization, 'Bearer 3');
  broken = false;
  access.doubt();
  assert.notEqual((await access.current()).agent, first.agent, 'another CA needs other connections');
});

test('no credentials at all is Unreachable, and tells what was wrong', async () => {
  const client = createKubernetesClient({
    server: 'https://127.0.0.1:1',
    credentials: () => Promise.reject(new Error('no token')),
  });
  await assert.rejects(client.request('GET', '/x'), { code: 'Unreachable', message: /no token/ });
});

test('a token never travels in the clear', async (t) => {
  let seen: string | undefined = 'none yet';
  const server = await serve(t, (request, response) => {
    seen = request.headers.authorization;
    response.end('{}');
  });
  const client = createKubernetesClient({ server, credentials: async () => ({ authorization: 'Bearer secret' }) });
  await client.request('GET', '/x');
  assert.equal(seen, undefined);
});

test('every failure has its code, and what is nobody’s fault is not counted', async (t) => {
  const server = await serve(t, (request, response) => {
    response
      .writeHead(Number(request.url?.slice(1)), { 'retry-after': '2' })
      .end('{"message":"why","reason":"Because"}');
  });
  const metrics = createMetrics();
  const client = createKubernetesClient({ server, credentials: async () => ({}) }, { metrics });
  const codes = {
    400: 'Invalid',
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    409: 'Conflict',
    410: 'Gone',
  };
  const more = { 422: 'Invalid', 429: 'TooManyRequests', 500: 'Unavailable', 503: 'Unavailable', 302: 'Unavailable' };
  for (const [status, code] of Object.entries({ ...codes, ...more })) {
    await assert.rejects(client.request('GET', `/${status}`), {
      code,
      status: Number(status),
      retryAfterMs: 2000,
      reason: 'Because',
      message: `GET /${status}: ${status} why`,
    });
  }
  assert.equal((await metrics.apiServerErrors.get()).values[0]?.value, 8);
});

test('a request ends after its time, also in the middle of an answer, and when its caller goes', async (t) => {
  const server = await serve(t, (request, response) => {
    if (request.url === '/half') response.write('{');
  });
  const client = connectTo(server);
  for (const path of ['/silent', '/half']) {
    await assert.rejects(client.request('GET', path, { timeoutMs: 50 }), { code: 'Unreachable', message: /timeout/i });
    const gone = AbortSignal.timeout(20);
    await assert.rejects(client.request('GET', path, { signal: gone }), { code: 'Unreachable' });
  }
});

test('an answer over 64 MiB is refused', async (t) => {
  const chunk = 'x'.repeat(8 * 2 ** 20);
  const server = await serve(t, (_request, response) => {
    for (let time = 0; time < 9; time++) response.write(chunk);
    response.end();
  });
  await assert.rejects(connectTo(server).request('GET', '/x'), {
    code: 'Unreachable',
    message: /larger than 67108864/,
  });
});

test('a read on an idle connection that the server closed is repeated, a write is not', async (t) => {
  const counts = { GET: 0, POST: 0 };
  const server = await serve(t, (request, response) => {
    const method = request.method as 'GET' | 'POST';
    counts[method] += 1;
    // The second request of each kind comes on a reused connection, and is cut.
    if (counts[method] === 2) response.socket?.resetAndDestroy();
    else response.end('{}');
  });
  const client = connectTo(server);
  await client.request('GET', '/x');
  await client.request('GET', '/x');
  assert.equal(counts.GET, 3);
  await client.request('POST', '/x', { body: {} });
  await assert.rejects(client.request('POST', '/x', { body: {} }), { code: 'Unreachable' });
  assert.equal(counts.POST, 2);
});

test('paths are those of the API server', () => {
  const policy = resourcePath(collections.policies, { namespace: 'a', name: 'b', subresource: 'status' });
  assert.equal(policy, '/apis/sallyport.dev/v1alpha1/namespaces/a/policies/b/status');
  assert.equal(resourcePath(collections.secrets), '/api/v1/secrets');
  assert.equal(resourcePath(collections.namespaces, { namespace: 'ignored', name: 'a/b' }), '/api/v1/namespaces/a%2Fb');
});

test('a pod finds its API server, reads its token anew each time, and says when it is no pod', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-account-'));
  t.after(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, 'token'), 'one\n');
  await writeFile(join(directory, 'ca.crt'), 'ca');
  await writeFile(join(directory, 'namespace'), 'here\n');
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
  const connection = await inClusterConnection(directory, environment);
  assert.equal(connection.server, 'https://[fd00::1]:6443');
  assert.equal(connection.namespace, 'here');
  assert.deepEqual(await connection.credentials(), { ca: 'ca', authorization: 'Bearer one' });
  await writeFile(join(directory, 'token'), 'two');
  assert.equal((await connection.credentials()).authorization, 'Bearer two');
  await assert.rejects(inClusterConnection(directory, {}), { code: 'NotInCluster' });
});

test('a DELETE may have a body, and the next request on the connection is read as itself', async (t) => {
  const server = await serve(t, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () =>
      response.end(JSON.stringify({ method: request.method, body, port: request.socket.remotePort })),
    );
  });
  const client = connectTo(server);
  const { body: deleted } = await client.request('DELETE', '/a', { body: { preconditions: { uid: 'ü' } } });
  const { body: read } = await client.request('GET', '/a');
  const { port } = read as { port: number };
  assert.deepEqual(deleted, { method: 'DELETE', body: '{"preconditions":{"uid":"ü"}}', port });
  assert.deepEqual(read, { method: 'GET', body: '', port });
});
