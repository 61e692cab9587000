// The demo's applications in one process, with no sign-in code in any of them: `bin/node demo/applications.ts --port-base 9500`.
import type { Server } from 'node:http';
import { parseArgs } from 'node:util';
import { createAssertionReader } from './assertion.ts';
import { createClock } from './clock.ts';
import { createMirror } from './mirror.ts';
import { listenOnLoopback, parsePort, runProgram, stopServer } from './serving.ts';
import type { Running } from './serving.ts';
import { createWelcome } from './welcome.ts';

export interface ApplicationsOptions {
  /** The mirror listens on the next port, then the clock, then the welcome page; 0: any that are free. */
  readonly portBase: number;
  /** Where the keys are that verify assertions. */
  readonly jwksUrl: URL;
  readonly tickMs?: number;
}

export interface RunningApplications extends Running {
  readonly mirrorPort: number;
  readonly clockPort: number;
  readonly welcomePort: number;
}

/** Starts all three on 127.0.0.1, or none. @throws {Error} with code `EADDRINUSE` where a port is taken. */
export async function startApplications(options: ApplicationsOptions): Promise<RunningApplications> {
  const { portBase, jwksUrl, tickMs = 1000 } = options;
  const readAssertion = createAssertionReader(jwksUrl);
  const started: Server[] = [];
  const stop = async () => void (await Promise.all(started.map(stopServer)));
  const start = (server: Server, offset: number) => {
    started.push(server);
    return listenOnLoopback(server, portBase === 0 ? 0 : portBase + offset);
  };
  try {
    const mirrorPort = await start(createMirror(readAssertion), 1);
    const clockPort = await start(createClock(readAssertion, tickMs), 2);
    const welcomePort = await start(createWelcome(), 3);
    return { mirrorPort, clockPort, welcomePort, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function main(): Promise<Running & { readonly greeting: string }> {
  const { values } = parseArgs({
    options: {
      'port-base': { type: 'string', default: '9500' },
      jwks: { type: 'string', default: 'http://127.0.0.1:8080/.well-known/sallyport/jwks.json' },
    },
  });
  const jwksUrl = URL.parse(values.jwks);
  if (jwksUrl === null) throw new Error(`--jwks wants a URL, and ${values.jwks} is none`);
  const portBase = parsePort('port-base', values['port-base']);
  const running = await startApplications({ portBase, jwksUrl });
  const { mirrorPort, clockPort, welcomePort } = running;
  const at = (port: number) => `http://127.0.0.1:${port}`;
  const greeting = `mirror at ${at(mirrorPort)}, clock at ${at(clockPort)}, welcome at ${at(welcomePort)}`;
  return { ...running, greeting };
}

if (import.meta.main) await runProgram(main);
