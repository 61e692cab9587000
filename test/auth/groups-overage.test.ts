// Somebody in more groups than fit in a token: nobody takes that for no groups, and the log says it once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createProvider } from '../../src/auth/provider/provider.ts';
import { createLogger } from '../../src/telemetry.ts';
import { startFakeProvider } from './fake-provider.ts';
import type { FakeProvider } from './fake-provider.ts';
import { appHost, assertArrived, createBrowser, createHouse, visit } from './rig.ts';
import { signInAt } from './sign-in.ts';

let fake: FakeProvider;
before(async () => {
  fake = await startFakeProvider();
  fake.behaviour.claims = {
    groups: undefined,
    _claim_names: { groups: 'src1' },
    _claim_sources: { src1: { endpoint: 'https://graph.example.com/users/ana/getMemberObjects' } },
  };
});
after(() => fake.stop());

test('their groups are unknown to every decision, and the person can see it', async (t) => {
  const house = createHouse({ providers: [fake.settings] });
  t.after(() => house.close());
  const ana = createBrowser(house, fake.authorize);
  const url = `https://${appHost}/`;
  const { session } = assertArrived(await visit(ana, url), url);
  assert.deepEqual([session.identity.groups, session.identity.groupsUnknown], [[], true]);
  const shown = await visit(ana, `https://${appHost}/.sallyport/user`);
  assert(shown.kind === 'Json');
  assert.equal((shown.body as { groupsUnknown?: unknown }).groupsUnknown, true);
});

test('the log says so once', async (t) => {
  const lines: { msg: string; claim?: string }[] = [];
  const log = createLogger('info', (line) => lines.push(JSON.parse(line) as { msg: string }));
  const provider = createProvider(fake.settings, { log });
  t.after(() => provider.close());
  for (let count = 0; count < 2; count += 1) await signInAt(provider, { authorize: fake.authorize });
  assert.deepEqual(
    lines.map(({ msg, claim }) => [claim, msg]),
    [
      [
        'groups',
        'the provider says that somebody has more groups than fit in a token: without a directory what asks for groups is refused to them',
      ],
    ],
  );
});
