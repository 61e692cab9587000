// A host of its own for an application: a network namespace with an address that is not loopback, as a pod's is not.
import { spawn, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface FarHost {
  readonly address: string;
  readonly port: number;
  stop(): Promise<void>;
}

const port = 9000;

// Answers with its name and what it was told, one JSON line; `/ready` on its output says that it listens.
const echo = `
  const [name, address] = process.argv.slice(1);
  require('node:http').createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name, url: request.url, headers: request.headers }));
  }).listen(${port}, address, () => console.log('ready'));
`;

// Of this process alone, so that two lanes can have far hosts at once. Those of replicas begin with 10.231.
const network = `10.${232 + (process.pid % 20)}`;

/** Where far host `number` is. */
export const farAddress = (number: number): string => `${network}.${number}.2`;
/** What this computer is to it: an address of our own that is not loopback. */
export const nearAddress = (number: number): string => `${network}.${number}.1`;

/**
 * Starts an application at port 9000 of {@link farAddress}. It needs root, for `ip netns`. @throws {Error} saying so.
 * EndpointSlices may not hold loopback addresses, and Sallyport refuses to connect to them in a cluster (promise 15).
 * @param program CommonJS, given the name and the address; it prints a line once it listens at port 9000.
 */
export async function startFarHost(name: string, number: number, program = echo): Promise<FarHost> {
  if (process.getuid?.() !== 0)
    throw new Error('test/cluster needs root, for applications in network namespaces (ip netns)');
  const [namespace, near, far] = [
    `sallyport-${process.pid}-${number}`,
    `sp${number}a${process.pid % 10_000}`,
    `sp${number}b${process.pid % 10_000}`,
  ];
  const address = farAddress(number);
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  removeLeftovers(number);
  ip('netns', 'add', namespace);
  const remove = () => {
    execFileSync('ip', ['netns', 'del', namespace]);
    try {
      ip('link', 'del', near);
    } catch {
      // It went with the namespace that held its other end.
    }
  };
  try {
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', namespace);
    ip('addr', 'add', `${nearAddress(number)}/30`, 'dev', near);
    ip('link', 'set', near, 'up');
    ip('-n', namespace, 'addr', 'add', `${address}/30`, 'dev', far);
    ip('-n', namespace, 'link', 'set', far, 'up');
    const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, '-e', program, name, address], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(createInterface({ input: child.stdout }), 'line');
    return {
      address,
      port,
      async stop() {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Of a run that was killed: its addresses would be found instead of ours. */
function removeLeftovers(number: number): void {
  const names = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).matchAll(/^sallyport-(\d+)-(\d+)/gm);
  for (const [name, pid = '', of] of names) {
    const hasOurAddress = Number(pid) % 20 === process.pid % 20;
    if (of !== String(number) || !hasOurAddress || isRunning(Number(pid))) continue;
    execFileSync('ip', ['netns', 'del', name]);
    try {
      execFileSync('ip', ['link', 'del', `sp${number}a${Number(pid) % 10_000}`], { stdio: 'ignore' });
    } catch {
      // It went with the namespace that held its other end.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
