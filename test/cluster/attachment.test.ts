// Policies that come, go and change over a running Sallyport, and the ConfigMaps that they look up: within a second, and never quietly.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, send } from '../integration/client.ts';
import { until } from '../integration/rig.ts';
import { ingress, startClusterRig } from './rig.ts';
import type { ClusterRig } from './rig.ts';

const policy = (name: string, spec: string) => `
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: ${name}, namespace: shop}
spec: {${spec}}
`;
const staff = 'rules: [{allow: {or: [{groups: {has: staff}}]}}]';
const noDeletes = 'rules: [{deny: {or: [{httpMethod: {is: DELETE}}]}}]';

describe('on a running Sallyport', () => {
  let rig: ClusterRig;
  before(async () => {
    rig = await startClusterRig();
  });
  after(() => rig?.stop());

  /** What Events with this reason say of an Ingress. */
  async function told(name: string, reason: string): Promise<readonly string[]> {
    const { items } = JSON.parse(await rig.kubectl('get', 'events.events.k8s.io', '-n', 'shop', '-o', 'json')) as {
      items: { reason: string; note: string; regarding: { kind: string; name: string } }[];
    };
    return items
      .filter((event) => event.reason === reason && event.regarding.kind === 'Ingress' && event.regarding.name === name)
      .map(({ note }) => note);
  }
  async function signedIn(host: string, account: string): Promise<() => Promise<number>> {
    const client = createClient();
    const page = await client.visit(`http://${host}.localhost:${rig.port}/`);
    await client.signIn(page, account);
    const cookie = `__Host-sallyport=${client.cookies.get(`${host}.localhost`)?.get('__Host-sallyport')}`;
    return async () => (await rig.get(host, { accept: '*/*', cookie })).status;
  }

  test('a Policy that Ingresses name is deleted: they deny within a second, and each has an Event', async (context) => {
    await rig.api.apply(policy('named', staff));
    for (const host of ['one', 'two']) await rig.api.apply(ingress(host, 'red', 'sallyport.dev/policy: named'));
    await rig.becomes('one', '401');
    await rig.becomes('two', '401');
    const ana = await signedIn('one', 'account-ana');
    assert.equal(await ana(), 200);
    await rig.kubectl('delete', 'policy', 'named', '-n', 'shop', '--wait=false');
    const took = await until(async () => (await ana()) === 403, 1_000, 'without its policy the route denies');
    await rig.becomes('two', '403');
    context.diagnostic(`denied ${Math.round(took)} ms after kubectl returned`);
    for (const host of ['one', 'two']) {
      await until(async () => (await told(host, 'PolicyNotFound')).length === 1, 3_000, `an Event on ${host}`);
      assert.match((await told(host, 'PolicyNotFound'))[0] ?? '', /there is no Policy named .*denies everybody/);
    }
  });

  test('a Policy that chose its Ingresses is deleted: each has an Event, and one with nothing left denies', async () => {
    await rig.api.apply(policy('choosing', `targetRefs: [{selector: {matchLabels: {tier: web}}}], ${staff}`));
    const labelled = (host: string, annotation: string) =>
      ingress(host, 'red', annotation).replace('namespace: shop,', 'namespace: shop, labels: {tier: web},');
    await rig.api.apply(labelled('open', 'sallyport.dev/access: public') + '---' + labelled('bare', ''));
    await rig.becomes('open', '401');
    await rig.becomes('bare', '401');
    const ana = await signedIn('bare', 'account-ana');
    assert.equal(await ana(), 200);
    await rig.kubectl('delete', 'policy', 'choosing', '-n', 'shop', '--wait=false');
    await until(async () => (await ana()) === 403, 1_000, 'nothing is left, and it denies');
    await rig.becomes('open', 'red');
    const gone = /Policy shop\/choosing, which governed this Ingress until now .*is gone; it is left with/;
    for (const host of ['open', 'bare']) {
      await until(async () => (await told(host, 'PolicyDeparted')).length === 1, 3_000, `an Event on ${host}`);
      assert.match((await told(host, 'PolicyDeparted'))[0] ?? '', gone);
    }
    assert.ok(
      rig.log.some((line) => JSON.stringify(line).includes('PolicyDeparted')),
      'and a line in the log',
    );
  });

  test('a label of an Ingress decides which policies govern it, within a second', async () => {
    await rig.api.apply(policy('guard', `targetRefs: [{selector: {matchLabels: {guarded: "yes"}}}], ${staff}`));
    await rig.api.apply(ingress('tagged', 'red', 'sallyport.dev/access: public'));
    await rig.becomes('tagged', 'red');
    await rig.kubectl('label', 'ingress', 'tagged', '-n', 'shop', 'guarded=yes');
    await rig.becomes('tagged', '401');
    await rig.kubectl('label', 'ingress', 'tagged', '-n', 'shop', 'guarded-');
    await rig.becomes('tagged', 'red');
  });

  test('a policy for all Ingresses of a namespace governs those that come later', async () => {
    await rig.api.apply(policy('everywhere', `targetRefs: [{selector: {}}], ${noDeletes}`));
    await rig.api.apply(ingress('later', 'red', 'sallyport.dev/access: public'));
    await rig.becomes('later', 'red');
    const url = new URL(`http://later.localhost:${rig.port}/`);
    assert.equal((await send(url, { method: 'DELETE', headers: { accept: '*/*' } })).status, 403);
    await rig.kubectl('delete', 'policy', 'everywhere', '-n', 'shop');
  });

  test('a data set is edited, grows stale, and is refreshed: each decides within a second', async (context) => {
    const people = (list: string, refreshed: number) => `
apiVersion: v1
kind: ConfigMap
metadata: {name: on-call, namespace: shop, annotations: {sallyport.dev/refreshed-at: "${new Date(refreshed).toISOString()}"}}
data: {people: "${list}"}
`;
    const onCall =
      'dataSets: [{name: onCall, configMapRef: {name: on-call, key: people}, staleAfter: 4s}], rules: [{allow: {or: [{email: {inDataSet: onCall}}]}}]';
    await rig.api.apply(people('[bob@example.com]', Date.now() + 600_000));
    await rig.api.apply(`${policy('on-call', onCall)}---${ingress('pager', 'red', 'sallyport.dev/policy: on-call')}`);
    await rig.becomes('pager', '401');
    const ana = await signedIn('pager', 'account-ana');
    assert.equal(await ana(), 403);
    const becomes = async (wanted: number, what: string) => {
      const took = await until(async () => (await ana()) === wanted, 1_000, what);
      context.diagnostic(`${what}: ${Math.round(took)} ms after kubectl returned`);
    };

    const edit = (list: string) =>
      rig.kubectl(
        'patch',
        'configmap',
        'on-call',
        '-n',
        'shop',
        '--type=merge',
        '-p',
        JSON.stringify({ data: { people: list } }),
      );
    await edit('[ana@example.com]');
    await becomes(200, 'ana is on call');
    await edit('[]');
    await becomes(403, 'nobody is on call');
    await edit('ana@example.com: {until: tomorrow}');
    await becomes(200, 'ana is a key of a map');
    await edit('[ana@example.com');
    await becomes(403, 'a list that breaks off is no list');

    const refreshedAt = Date.now();
    await rig.api.apply(people('[ana@example.com]', refreshedAt));
    await becomes(200, 'the list is fresh');
    await sleep(refreshedAt + 3_700 - Date.now());
    assert.equal(await ana(), 200, 'as old as it may be');
    await sleep(refreshedAt + 4_050 - Date.now());
    assert.equal(await ana(), 403, 'stale');
    await rig.kubectl(
      'annotate',
      'configmap',
      'on-call',
      '-n',
      'shop',
      '--overwrite',
      `sallyport.dev/refreshed-at=${new Date().toISOString()}`,
    );
    await becomes(200, 'refreshed');
    await rig.kubectl('delete', 'configmap', 'on-call', '-n', 'shop', '--wait=false');
    await becomes(403, 'gone');
  });
});
