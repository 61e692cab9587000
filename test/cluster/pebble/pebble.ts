// Pebble, the ACME server of Let's Encrypt for tests, on loopback: it asks for challenges where it is told, and believes nothing unasked.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificateAuthority } from '../../integration/certificates.ts';
import { send } from '../../integration/client.ts';
import { freePort, until } from '../../integration/rig.ts';

export interface Pebble {
  readonly directory: URL;
  /** PEM: who vouches for its own https. */
  readonly ca: string;
  /** PEM: who vouches for the certificates that it issues. */
  readonly root: string;
  stop(): Promise<void>;
}

/** @param httpPort Where every host answers challenges. */
export async function startPebble(httpPort: number): Promise<Pebble> {
  const program = execFileSync(join(import.meta.dirname, 'build'), { encoding: 'utf8' }).trim();
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-pebble-'));
  const write = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const authority = createCertificateAuthority();
  const pair = authority.sign('localhost');
  const [port, managementPort] = [await freePort(), await freePort()];
  const config = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    certificate: write('pebble.pem', pair.certificate),
    privateKey: write('pebble.key', pair.key),
    httpPort,
    tlsPort: 1,
    profiles: { default: { description: 'Ninety days', validityPeriod: 90 * 86_400 } },
  };
  const names = await startNames();
  const flags = ['-config', write('config.json', JSON.stringify({ pebble: config })), '-dnsserver', names.address];
  const env = {
    ...process.env,
    PEBBLE_VA_ALWAYS_VALID: '0',
    // No earlier answer is used again.
    PEBBLE_AUTHZREUSE: '0',
    // It does not wait before it asks, and refuses no good nonce: what it does else to try clients.
    PEBBLE_VA_NOSLEEP: '1',
    PEBBLE_WFE_NONCEREJECT: '0',
  };
  const child = spawn(program, flags, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const stop = async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    names.stop();
    authority.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const { ca } = authority;
  const management = (path: string) => send(new URL(`https://localhost:${managementPort}${path}`), { ca });
  try {
    const answers = () =>
      management('/roots/0').then(
        ({ status }) => status === 200,
        () => false,
      );
    await until(answers, 20_000, 'Pebble answers');
    const { body: root } = await management('/roots/0');
    return { directory: new URL(`https://localhost:${port}/dir`), ca, root, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A name server by which every name is 127.0.0.1 (RFC 1035, section 4), over TCP, as Pebble asks: each message after its length. */
async function startNames() {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (message: Buffer) => {
      const query = message.subarray(2);
      const end = query.indexOf(0, 12) + 5;
      const isForAddress = query.readUInt16BE(end - 4) === 1;
      const header = Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x84, 0, 0, 1, 0, isForAddress ? 1 : 0, 0, 0, 0, 0]);
      // The name asked for, again; type A, class IN, a minute to live, four bytes.
      const answer = Buffer.from(isForAddress ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1] : []);
      const whole = Buffer.concat([Buffer.alloc(2), header, query.subarray(12, end), answer]);
      whole.writeUInt16BE(whole.length - 2);
      socket.write(whole);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, stop: () => server.close() };
}
