// A real Keycloak for tests: one process on loopback for all files that run together, and a realm of its own for each of them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../integration/rig.ts';

/** Fetching and setting it up takes a minute on 2 cores. */
const buildTimeoutMs = 15 * 60_000;
/** 14 s of CPU; more than that on a machine that does something else at the same time. */
const readyTimeoutMs = 180_000;

/** Java asks the system's resolver, and not each knows that names under .localhost are the loopback's (RFC 6761, section 6.3). */
const hosts = ['localhost', 'auth.localhost', 'app.localhost', 'clock.localhost', 'engineering.localhost'];

/** Ends the whole process group, Java in it, with Keycloak or with us: our end of the pipe closes however we end. */
const asLongAsStdin = '{ "$0" "$@" </dev/null; kill -KILL -- -$$; } & read -r _; kill -KILL -- -$$';

export interface Keycloak {
  /** `http://localhost:PORT`. */
  readonly url: string;
  /** Asks the admin REST API, below `/admin`. A body is sent as JSON. @throws {Error} with the answer, unless it is 2xx. */
  admin(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Stops it, when this was the last to use it. */
  release(): Promise<void>;
}

let shared: { readonly running: Promise<RunningKeycloak>; users: number } | undefined;

interface RunningKeycloak extends Omit<Keycloak, 'release'> {
  stop(): Promise<void>;
}

/** The Keycloak of this process; started where there is none. */
export async function useKeycloak(): Promise<Keycloak> {
  shared ??= { running: start(), users: 0 };
  const own = shared;
  own.users += 1;
  const release = async () => {
    own.users -= 1;
    if (own.users > 0) return;
    if (shared === own) shared = undefined;
    await (await own.running).stop();
  };
  const { url, admin } = await own.running;
  return { url, admin, release };
}

async function start(): Promise<RunningKeycloak> {
  const home = await distribution();
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-keycloak-'));
  const [port, managementPort] = [await freePort(), await freePort()];
  const url = `http://localhost:${port}`;
  const database = join(folder, 'keycloakdb');
  await copyFile(join(home, 'data/h2/keycloakdb.mv.db'), `${database}.mv.db`);
  const hostsFile = join(folder, 'hosts');
  await writeFile(hostsFile, `127.0.0.1 ${hosts.join(' ')}\n`);
  const logFile = join(folder, 'log');
  const output = openSync(logFile, 'w');
  const kc = [join(home, 'bin/kc.sh'), ...flags(url, port, managementPort, database)];
  const child = spawn('bash', ['-c', asLongAsStdin, ...kc], {
    detached: true,
    stdio: ['pipe', output, output],
    env: {
      ...process.env,
      JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx512m',
      // The quick compiler alone: half the CPU of a start, and nothing here runs for long.
      JAVA_OPTS_APPEND: `-XX:TieredStopAtLevel=1 -XX:-UseG1GC -XX:+UseSerialGC -Djdk.net.hosts.file=${hostsFile}`,
    },
  });
  closeSync(output);
  const exited = once(child, 'exit');
  const stop = async () => {
    child.stdin?.destroy();
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const began = performance.now();
  try {
    for (const deadline = Date.now() + readyTimeoutMs; !(await answers(`${url}/realms/master`)); await sleep(100)) {
      if (child.signalCode !== null) throw new Error('Keycloak ended by itself');
      if (Date.now() > deadline) throw new Error(`Keycloak is not ready after ${readyTimeoutMs / 1000} s`);
    }
    console.log(`Keycloak is ready after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return { url, admin: administrator(url), stop };
  } catch (cause) {
    const log = await readFile(logFile, 'utf8');
    await stop();
    throw new Error(`no Keycloak to test with; its log:\n${log.slice(-20_000)}`, { cause });
  }
}

function flags(url: string, port: number, managementPort: number, database: string): string[] {
  return [
    'start',
    '--optimized',
    '--cache=local',
    '--http-enabled=true',
    '--http-host=127.0.0.1',
    `--http-port=${port}`,
    `--http-management-port=${managementPort}`,
    `--hostname=${url}`,
    `--db-url=jdbc:h2:file:${database};NON_KEYWORDS=VALUE;DB_CLOSE_ON_EXIT=FALSE`,
  ];
}

/** The folder of a Keycloak that is set up; fetches it where there is none (see ./build). */
async function distribution(): Promise<string> {
  const build = spawn(join(import.meta.dirname, 'build'), {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: buildTimeoutMs,
  });
  const [stdout] = await Promise.all([text(build.stdout), once(build, 'close')]);
  if (build.exitCode !== 0) throw new Error('no Keycloak to test with: test/keycloak/build says why');
  return stdout.trimEnd().split('\n').at(-1) ?? '';
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(5_000) })).ok;
  } catch {
    return false;
  }
}

function administrator(url: string): Keycloak['admin'] {
  let token: { readonly value: string; readonly until: number } | undefined;
  const signedIn = async () => {
    if (token !== undefined && Date.now() < token.until) return token.value;
    // As ./build made it.
    const person = { username: 'admin', password: 'admin' };
    const body = new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', ...person });
    const answer = await fetch(`${url}/realms/master/protocol/openid-connect/token`, { method: 'POST', body });
    const { access_token: value } = (await answer.json()) as { access_token: string };
    token = { value, until: Date.now() + 30_000 };
    return value;
  };
  return async (method, path, body) => {
    const answer = await fetch(`${url}/admin${path}`, {
      method,
      headers: { authorization: `Bearer ${await signedIn()}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(readyTimeoutMs),
    });
    const said = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${said}`);
    return said === '' ? undefined : (JSON.parse(said) as unknown);
  };
}
