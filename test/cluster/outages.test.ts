// The API server dies, comes back, and holds its breath, again and again, under traffic: no request fails, and nothing stale is left.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../integration/rig.ts';
import { ingress, startClusterRig } from './rig.ts';
import type { ClusterRig } from './rig.ts';

const outages = 20;
// A cluster that was lent to the tests is not killed.
const skip =
  process.env['KUBECONFIG_TEST'] !== undefined && 'KUBECONFIG_TEST is set: it takes an API server of our own';
let rig: ClusterRig;
before(async () => {
  if (skip === false) rig = await startClusterRig();
});
after(() => rig?.stop());

test(
  `${outages} outages by turns (killed and restarted, paused), with traffic throughout`,
  { skip, timeout: 280_000 },
  async () => {
    await rig.api.apply(ingress('steady', 'red', 'sallyport.dev/access: public'));
    await rig.api.apply(ingress('turning', 'red', 'sallyport.dev/access: public'));
    await rig.becomes('steady', 'red');
    await rig.becomes('turning', 'red');

    const wrong: string[] = [];
    let asked = 0;
    let isOver = false;
    const traffic = (async () => {
      while (!isOver) {
        const answer = await rig.served('steady');
        asked += 1;
        if (answer !== 'red') wrong.push(answer);
        await new Promise((resolve) => void setTimeout(resolve, 5));
      }
    })();

    const backMs: number[] = [];
    for (let round = 0; round < outages; round += 1) {
      if (round % 2 === 0) {
        await rig.api.kill();
        await new Promise((resolve) => void setTimeout(resolve, 300));
        await rig.api.restart();
      } else {
        rig.api.pause();
        await new Promise((resolve) => void setTimeout(resolve, 1_500));
        rig.api.resume();
      }
      const service = round % 2 === 0 ? 'blue' : 'red';
      await rig.api.apply(ingress('turning', service, 'sallyport.dev/access: public'));
      const passing = `passing-${round}`;
      await rig.api.apply(ingress(passing, service, 'sallyport.dev/access: public'));
      backMs.push(
        await until(
          async () => (await rig.served('turning')) === service,
          60_000,
          `round ${round}: the change is served`,
        ),
      );
      await rig.becomes(passing, service);
      await rig.api.delete('ingress', passing, 'shop');
      await rig.becomes(passing, '404');
    }
    isOver = true;
    await traffic;
    console.log(
      `${asked} requests during ${outages} outages, ${wrong.length} failed; a change was served ${Math.round(Math.max(...backMs))} ms after the API server took it, at the longest`,
    );
    assert.deepEqual(wrong, []);
    assert.ok(asked > 1_000, `${asked} requests`);
  },
);

test('an object that is deleted while nobody watches is gone when the watch is back', { skip }, async () => {
  await rig.api.apply(ingress('doomed', 'red', 'sallyport.dev/access: public'));
  await rig.becomes('doomed', 'red');
  await rig.api.kill();
  await rig.api.restart();
  await rig.api.delete('ingress', 'doomed', 'shop');
  await until(async () => (await rig.served('doomed')) === '404', 60_000, 'the stale route is gone');
});

test(
  'the API server away: what is served is served on, and what changed meanwhile is there soon after',
  { skip },
  async () => {
    await rig.api.apply(ingress('steady', 'red', 'sallyport.dev/access: public'));
    await rig.becomes('steady', 'red');
    await rig.api.kill();
    for (let count = 0; count < 20; count += 1) assert.equal(await rig.served('steady'), 'red');
    await rig.api.restart();
    await rig.api.apply(ingress('steady', 'blue', 'sallyport.dev/access: public'));
    await until(async () => (await rig.served('steady')) === 'blue', 40_000, 'the watch is back');
  },
);
