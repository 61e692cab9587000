// Takes a cookie that one host gave to another one: its bytes as they are, or shifted between fields (CVE-2023-35941).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeTicket } from '../../../src/auth/cookie.ts';
import { seal } from '../../../src/auth/keys.ts';
import { asCookie, appHost, authHost, fullSession, layGround, otherHost, sessionValue, visit } from './rig.ts';

test("one host's cookie opens on that host alone", async (t) => {
  const { house, victim } = await layGround(t);
  await visit(victim, `https://${appHost}/`);
  await visit(victim, `https://${otherHost}/`);
  const hosts = [appHost, otherHost, authHost];
  for (const of of hosts) {
    for (const at of hosts) {
      const opened = await house.authority.open(at, asCookie(sessionValue(victim, of)));
      assert.equal(opened !== undefined, of === at, `the cookie of ${of} at ${at}`);
    }
  }
});

test('what it is sealed to cannot be shifted: a longer host with a shorter id is another thing', async (t) => {
  const { house, victim } = await layGround(t);
  await visit(victim, `https://${appHost}/`);
  const { session } = await fullSession(victim);
  const [, rest = ''] = /^[^.]*\.(.*)$/.exec(sessionValue(victim, appHost)) ?? [];
  const shifted = [
    [appHost.slice(1), session.id],
    [`${appHost} ${session.id}`, session.id],
    [`${appHost} ${session.id.slice(0, 1)}`, session.id.slice(1)],
    [appHost, session.id.slice(1)],
    [appHost, `${session.id} `],
    [`${appHost}:443`, session.id],
    [appHost.toUpperCase(), session.id],
    [`${appHost}.`, session.id],
  ] as const;
  for (const [host, id] of shifted)
    assert.equal(await house.authority.open(host, asCookie(`${id}.${rest}`)), undefined, host);
});

test('without an authentication host nobody takes a plain cookie', async (t) => {
  const { house, victim } = await layGround(t, { withAuthenticationHost: false });
  await visit(victim, `https://${appHost}/`);
  const { session } = await fullSession(victim, appHost);
  const ticket = { id: session.id, secret: new Uint8Array(32) };
  for (const host of [appHost, authHost, '', 'undefined']) {
    assert.equal(await house.authority.open(host, asCookie(encodeTicket(house.ring, ticket, host, true))), undefined);
    const sealedElsewhere = `${session.id}.${seal(house.ring, 'host-cookie', ticket.secret, `${host} `)}`;
    assert.equal(await house.authority.open(host, asCookie(sealedElsewhere)), undefined);
  }
});
