// The demo, with every real part, on free ports and on a copy of its manifests that a test may edit.
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApplications } from '../../demo/applications.ts';
import type { RunningApplications } from '../../demo/applications.ts';
import { startProvider } from '../../demo/provider.ts';
import type { ProviderOptions, RunningProvider } from '../../demo/provider.ts';
import { startSallyport } from '../../src/cli/run.ts';
import type { RunningSallyport } from '../../src/cli/run.ts';
import { readRunSettings } from '../../src/cli/settings.ts';
import { createLogger } from '../../src/telemetry.ts';

const manifests = join(import.meta.dirname, '../../demo/manifests');

export interface Rig {
  readonly port: number;
  /** 0 without https. */
  readonly httpsPort: number;
  readonly sallyport: RunningSallyport;
  readonly provider: RunningProvider;
  readonly applications: RunningApplications;
  /** The folder that is served. */
  readonly folder: string;
  /** Everything logged, in order. */
  readonly log: Record<string, unknown>[];
  /** A URL on one of the demo's hosts: `url('app')`, `url('auth', '/.sallyport/')`. */
  url(host: string, path?: string): string;
  edit(file: string, change: (text: string) => string): Promise<void>;
  stop(): Promise<void>;
}

export interface RigOptions {
  /** Changes the manifests before they are served first; gets the text of each. */
  readonly prepare?: (text: string, port: number) => string;
  readonly provider?: Partial<ProviderOptions>;
  /** The provider says here when somebody has signed out there. */
  readonly backChannel?: boolean;
  /** Files to serve beside the demo's, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Listens for https too; the authentication host is then there. */
  readonly https?: boolean;
}

export async function startRig({
  prepare = (text) => text,
  provider: providerOptions = {},
  backChannel = false,
  files = {},
  https = false,
}: RigOptions = {}): Promise<Rig> {
  const [port, httpsPort] = [await freePort(), https ? await freePort() : 0];
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-rig-'));
  const log: Record<string, unknown>[] = [];
  const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const end of stops.toReversed()) await end();
  };
  try {
    const scheme = https ? `https` : 'http';
    const hosts = ['auth', 'app', 'clock', 'engineering', 'welcome'].map(
      (host) => `${scheme}://${host}.localhost:${https ? httpsPort : port}`,
    );
    const provider = await startProvider({
      port: 0,
      redirectUris: hosts.flatMap((host) => [`${host}/oauth2/callback`, `${host}/.sallyport/callback`]),
      postLogoutRedirectUris: hosts.map((host) => `${host}/.sallyport/signed-out`),
      ...(backChannel && { backchannelLogoutUri: `${hosts[0]}/oauth2/backchannel-logout` }),
      ...providerOptions,
    });
    stops.push(provider.stop);
    const jwksUrl = new URL(`http://127.0.0.1:${port}/.well-known/sallyport/jwks.json`);
    const applications = await startApplications({ portBase: 0, jwksUrl, tickMs: 100 });
    stops.push(applications.stop);
    await cp(manifests, folder, { recursive: true });
    const ports: Record<string, number> = {
      8080: https ? httpsPort : port,
      9400: provider.port,
      9501: applications.mirrorPort,
      9502: applications.clockPort,
      9503: applications.welcomePort,
    };
    for (const file of await readdir(folder)) {
      const text = await readFile(join(folder, file), 'utf8');
      const moved = text.replaceAll(/8080|9400|950[123]/g, (known) => String(ports[known]));
      await writeFile(join(folder, file), prepare(moved, port));
    }
    const flags = [
      '--manifests',
      folder,
      '--http',
      `127.0.0.1:${port}`,
      '--https',
      https ? `127.0.0.1:${httpsPort}` : '',
      '--probes',
      '',
      '--admin',
      '127.0.0.1:0',
    ];
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const logger = createLogger('debug', (line) => log.push(JSON.parse(line) as Record<string, unknown>));
    const sallyport = await startSallyport(readRunSettings(flags, {}), logger);
    stops.push(() => sallyport.stop());
    return {
      port,
      httpsPort,
      sallyport,
      provider,
      applications,
      folder,
      log,
      url: (host, path = '/') => `http://${host}.localhost:${port}${path}`,
      edit: async (file, change) => writeFile(join(folder, file), change(await readFile(join(folder, file), 'utf8'))),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A port of the loopback that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}

/** Asks until the answer is as wanted; the time it took, in milliseconds. @throws {Error} after `withinMs`. */
export async function until(isSo: () => Promise<boolean>, withinMs: number, what: string): Promise<number> {
  const began = performance.now();
  while (performance.now() - began < withinMs) {
    if (await isSo()) return performance.now() - began;
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
  throw new Error(`${what}: not within ${withinMs} ms`);
}
