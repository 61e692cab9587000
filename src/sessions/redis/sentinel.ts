// Which server is the master, as Sentinels tell.
import { StoreError } from '../store.ts';
import { clientOptions } from './address.ts';
import type { Address, Credentials } from './address.ts';
import { within } from './patience.ts';

/** Asks the Sentinels in turn. @throws {StoreError} when none knows. */
export async function locateMaster(
  sentinels: readonly Address[],
  name: string,
  { ca }: Credentials,
  timeoutMs: number,
): Promise<Address> {
  const { createClient } = await import('@redis/client');
  const causes: unknown[] = [];
  // Sentinels have users of their own: the password of Redis is not theirs to see.
  const credentials = ca === undefined ? {} : { ca };
  for (const sentinel of sentinels) {
    const client = createClient(clientOptions({ ...sentinel, database: 0 }, credentials, timeoutMs));
    client.on('error', () => {});
    const ask = async () => {
      await client.connect();
      return client.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]);
    };
    try {
      const answer: unknown = await within(timeoutMs, ask());
      if (Array.isArray(answer)) return { ...sentinel, host: String(answer[0]), port: Number(answer[1]) };
      causes.push(new Error(`${sentinel.host}:${sentinel.port} knows no master ${name}`));
    } catch (cause) {
      causes.push(cause);
    } finally {
      if (client.isOpen) client.destroy();
    }
  }
  const cause = new AggregateError(causes);
  throw new StoreError('unavailable', `no Sentinel tells where the master ${name} is`, { cause });
}
