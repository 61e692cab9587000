// The ground on which every attack on a sign-in takes place: one class, one provider, a victim's browser and an attacker's.
import type { TestContext } from 'node:test';
import { startFakeProvider } from '../../auth/fake-provider.ts';
import type { FakeProvider } from '../../auth/fake-provider.ts';
import { createBrowser, createHouse } from '../../auth/rig.ts';
import type { Browser, House, HouseOptions } from '../../auth/rig.ts';

export * from '../../auth/rig.ts';

export interface Ground {
  readonly house: House;
  readonly provider: FakeProvider;
  readonly victim: Browser;
  readonly attacker: Browser;
}

/** Ends with the test. */
export async function layGround(t: TestContext, options: Partial<HouseOptions> = {}): Promise<Ground> {
  const provider = await startFakeProvider();
  const house = createHouse({ providers: [provider.settings], ...options });
  t.after(async () => {
    await house.close();
    await provider.stop();
  });
  const browser = () => createBrowser(house, provider.authorize);
  return { house, provider, victim: browser(), attacker: browser() };
}

/** With the authentication host, and without: most attacks are tried on both. */
export const bothWays = [true, false] as const;

export const evil = 'https://evil.example.org';
