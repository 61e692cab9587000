// What sessions cost: `make bench-sessions`. Prints tables, which bench/sessions.md keeps, and says which aim was missed.
// The system under test has a core of its own; load, application and provider share the other.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import { startFakeProvider } from '../test/auth/fake-provider.ts';
import type { Asked, Told } from './sessions-subject.ts';

const rounds = 9;
const requestsARound = 4_000;
const connections = 32;
const endOfAnswer = '\r\n\r\nok';
const steps = 200_000;
const signInSeconds = 5;
const cachedSessions = 100_000;

/** A process on the first core, which answers one question at a time. */
function startSubject() {
  const child: ChildProcess = fork(new URL('sessions-subject.ts', import.meta.url), {
    execPath: '/usr/bin/taskset',
    execArgv: ['-c', '0', process.execPath, '--expose-gc'],
  });
  return {
    async ask<K extends Asked['kind']>(question: Extract<Asked, { kind: K }>): Promise<Extract<Told, { kind: K }>> {
      child.send(question);
      const [told] = (await once(child, 'message')) as [Extract<Told, { kind: K }>];
      return told;
    },
    stop: () => child.kill(),
  };
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Sends requests one after another on so many connections, until all are answered with 200. */
async function load(port: number, request: string): Promise<void> {
  let left = requestsARound;
  await Promise.all(
    Array.from({ length: connections }, () => {
      const socket = connect(port, '127.0.0.1').setNoDelay(true);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const next = () => {
        left -= 1;
        if (left >= 0) socket.write(request);
        else resolve(void socket.destroy());
      };
      socket.on('connect', next);
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the proxy closed a connection')));
      let answer = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        answer += chunk;
        if (!answer.endsWith(endOfAnswer)) return;
        if (!answer.startsWith('HTTP/1.1 200 ')) reject(new Error(answer.slice(0, 200)));
        answer = '';
        next();
      });
      return promise;
    }),
  );
}

async function costOfASession(): Promise<{ readonly without: number; readonly with: number }> {
  const application = createServer((_request, response) => response.writeHead(200, { 'content-length': 2 }).end('ok'));
  application.keepAliveTimeout = 60_000;
  application.listen(0, '127.0.0.1');
  await once(application, 'listening');
  const subject = startSubject();
  const { port, cookie } = await subject.ask({ kind: 'Serve', upstream: (application.address() as AddressInfo).port });
  // Both send the same bytes: the difference is what we make of the cookie, and not of its length.
  const requestTo = (path: string) => `GET ${path} HTTP/1.1\r\nHost: app.example.com\r\nCookie: ${cookie}\r\n\r\n`;
  const spent = { '/public': [] as number[], '/engineers': [] as number[] };
  for (let round = -2; round < rounds; round += 1) {
    for (const path of ['/public', '/engineers'] as const) {
      const before = (await subject.ask({ kind: 'Spent' })).us;
      await load(port, requestTo(path));
      const us = ((await subject.ask({ kind: 'Spent' })).us - before) / requestsARound;
      if (round >= 0) spent[path].push(us);
    }
  }
  subject.stop();
  application.close();
  return { without: median(spent['/public']), with: median(spent['/engineers']) };
}

async function costOfSteps() {
  const subject = startSubject();
  const told = await subject.ask({ kind: 'Steps', times: steps });
  subject.stop();
  return told;
}

async function signIns() {
  const provider = await startFakeProvider();
  const subject = startSubject();
  const told = await subject.ask({ kind: 'SignIn', issuer: provider.issuer, seconds: signInSeconds });
  subject.stop();
  await provider.stop();
  return told;
}

async function memory() {
  const subject = startSubject();
  const told = await subject.ask({ kind: 'Remember', sessions: cachedSessions });
  subject.stop();
  return told;
}

const verdict = (value: number, aim: number) => (value <= aim ? 'met' : '**missed**');

async function main(): Promise<void> {
  const alone = await costOfSteps();
  const cost = await costOfASession();
  const signedIn = await signIns();
  const remembered = await memory();
  const more = alone.with - alone.without;
  const megabytes = remembered.bytes / 2 ** 20;
  console.log(`# What sessions cost

\`make bench-sessions\`, on ${cpus()[0]?.model ?? 'an unknown processor'}, Node.js ${process.version}. The system under test has one core.

| what | figure | aim | |
|---|---|---|---|
| CPU of a whole request on a public route | ${cost.without.toFixed(0)} µs | | |
| CPU of a whole request with a session | ${cost.with.toFixed(0)} µs | | |
| what a session adds, its steps alone: opened, judged with groups, vouched for | ${more.toFixed(2)} µs | under 5 µs | ${verdict(more, 5)} |
| sign-ins a second, both halves, ${signedIn.browsers} browsers at once | ${signedIn.perSecond.toFixed(0)} | | |
| CPU of \`auth\` for a sign-in | ${signedIn.cpuMs.toFixed(2)} ms | | |
| memory of ${cachedSessions.toLocaleString('en')} remembered sessions in a proxy | ${megabytes.toFixed(0)} MB | under 150 MB | ${verdict(megabytes, 150)} |

Whole requests: medians of ${rounds} rounds of ${requestsARound.toLocaleString('en')} requests each, with and without a session in turns, on ${connections} connections without TLS; both
send the same cookie, and what lies between the two is lost in the noise of sockets. The steps alone: ${steps.toLocaleString('en')} times in one process. A remembered session here has 20 groups and 15 claims. The provider has the other core, with the load.`);
}

await main();
