// `sallyport demo`: Sallyport on a folder of manifests, a real OpenID provider and the applications, on this computer alone.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createLogger } from '../telemetry.ts';
import { startSallyport } from './run.ts';
import { UsageError, readRunSettings } from './settings.ts';

export const demoHelp = `sallyport demo: try it on this computer, without a cluster

It serves demo/manifests on port 8080, with an OpenID provider on 9400 and applications on 9501 to 9503, all on
127.0.0.1. Edit a manifest, and what is served changes at once.
`;

const fromHere = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const programs = ['demo/provider.ts', 'demo/applications.ts'] as const;

/** Runs until Ctrl-C; returns the exit code. @throws {UsageError} */
export async function demo(args: readonly string[]): Promise<number> {
  if (args.length > 0) throw new UsageError('demo takes no flags (sallyport help demo)');
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  const manifests = relative(process.cwd(), fromHere('demo/manifests'));
  const flags = [
    '--manifests',
    manifests,
    '--http',
    '127.0.0.1:8080',
    '--https',
    '',
    '--probes',
    '',
    '--admin',
    '127.0.0.1:9090',
  ];
  const children: ChildProcess[] = [];
  try {
    // First what listens before it says so: a taken port is known, and said, before anything else is.
    await Promise.all(programs.map((program) => start(program, children)));
    const log = createLogger('info', (line) => process.stdout.write(readable(line)));
    const running = await startSallyport(readRunSettings([...flags, '--access-log', 'none'], {}), log);
    process.stdout.write(greeting(manifests));
    await stopped;
    await running.stop();
    return 0;
  } finally {
    for (const child of children) child.kill();
    await Promise.all(
      children
        .filter((child) => child.exitCode === null && child.signalCode === null)
        .map((child) => once(child, 'exit')),
    );
  }
}

// The child ends when the line to this process breaks, however this process ends.
async function start(program: string, children: ChildProcess[]): Promise<void> {
  const child = spawn(process.execPath, ['--disable-sigusr1', fromHere(program)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  children.push(child);
  const errors: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => {
    if (errors.length < 20) errors.push(chunk.toString());
  });
  if (child.stdout === null) throw new Error(`${program} has no output`);
  const greeted = once(createInterface({ input: child.stdout }), 'line').then(() => true);
  const ended = once(child, 'exit').then(() => false);
  if (!(await Promise.race([greeted, ended]))) throw new Error(`the demo cannot start: ${errors.join('').trim()}`);
}

/** A log line for a person: `12:03:01 routes changed (app.localhost)`. */
function readable(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const at = new Date(String(time)).toLocaleTimeString('en-GB');
  const mark = level === 'info' || level === 'debug' ? '' : `${String(level)}: `;
  const details = Object.entries(fields)
    .filter(([, value]) => typeof value !== 'object' || Array.isArray(value))
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ');
  return `${at}  ${mark}${String(msg)}${details === '' ? '' : `  ${details}`}\n`;
}

function greeting(manifests: string): string {
  return `
  Sallyport runs.

    http://welcome.localhost:8080       for everybody
    http://app.localhost:8080           for anybody signed in: shows what an application is told
    http://clock.localhost:8080         for anybody signed in: a WebSocket and an event stream
    http://engineering.localhost:8080   for engineers, by a Policy

  Sign in as   ana@example.com (in the group engineering)   or   eve@example.org (not)     password: demo
  A program is told 401:   curl -i http://app.localhost:8080/

  Change a file in ${manifests} and it is served at once. Ctrl-C ends everything.

`;
}
