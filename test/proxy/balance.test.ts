// Which endpoint serves next: in turn, past those that refuse connections, and those that are going away last of all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint, Upstream } from '../../src/model/route.ts';
import { createBalancer } from '../../src/proxy/balance.ts';

const endpoint = (last: number, draining?: true): Endpoint => ({
  address: `10.0.0.${last}`,
  port: 80,
  ...(draining && { draining }),
});
const upstreamOf = (...endpoints: readonly Endpoint[]): Upstream => ({ name: 'a/b:80', protocol: 'http', endpoints });
const none: ReadonlySet<Endpoint> = new Set();

function setUp() {
  const clock = { now: 1_000 };
  const balancer = createBalancer({ checkAddresses: true, refusedAddresses: [], now: () => clock.now });
  const picks = (upstream: Upstream, count: number) =>
    Array.from({ length: count }, () => balancer.pick(upstream, none)).map((one) =>
      typeof one === 'string' ? one : one.address.slice('10.0.0.'.length),
    );
  return { clock, balancer, picks };
}

test('endpoints have their turns', () => {
  const { picks } = setUp();
  assert.deepEqual(picks(upstreamOf(endpoint(1), endpoint(2), endpoint(3)), 5), ['1', '2', '3', '1', '2']);
});

test('one that refused a connection is passed over for five seconds', () => {
  const { clock, balancer, picks } = setUp();
  const [one, two] = [endpoint(1), endpoint(2)];
  balancer.failed(one);
  const upstream = upstreamOf(one, two);
  assert.deepEqual(picks(upstream, 3), ['2', '2', '2']);
  clock.now += 5_001;
  assert.deepEqual(picks(upstream, 2), ['1', '2']);
});

test('one that is going away has no turn while there is another, even one that lately refused a connection', () => {
  const { balancer, picks } = setUp();
  const [ready, leaving] = [endpoint(1), endpoint(2, true)];
  assert.deepEqual(picks(upstreamOf(leaving, ready), 3), ['1', '1', '1']);
  balancer.failed(ready);
  assert.deepEqual(picks(upstreamOf(leaving, ready), 2), ['1', '1']);
  assert.equal(balancer.pick(upstreamOf(leaving, ready), new Set([ready])), leaving);
});

test('those that are going away share the requests where they are alone', () => {
  const { picks } = setUp();
  assert.deepEqual(picks(upstreamOf(endpoint(1, true), endpoint(2, true)), 4), ['1', '2', '1', '2']);
});

test('a refused address is no endpoint, going away or not', () => {
  const { picks } = setUp();
  assert.deepEqual(picks(upstreamOf({ address: '127.0.0.1', port: 80, draining: true }), 1), ['AddressRefused']);
  assert.deepEqual(picks(upstreamOf(), 1), ['NoEndpoints']);
});
