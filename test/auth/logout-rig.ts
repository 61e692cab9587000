// A provider that says who has signed out, and the people with sessions whom it may be about.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Answer, OwnRequest } from '../../src/auth/authority.ts';
import {
  appHost,
  asCookie,
  assertArrived,
  authHost,
  createBrowser,
  layGround,
  sessionValue,
  visit,
} from '../attacks/login/rig.ts';
import type { Browser, Ground } from '../attacks/login/rig.ts';
import { signWith } from './fake-provider.ts';
import type { FakeProvider } from './fake-provider.ts';
import type { House, HouseOptions } from './rig.ts';

const app = `https://${appHost}/`;
const event = 'http://schemas.openid.net/event/backchannel-logout';

export async function signIn({ house, provider }: Ground, claims: Record<string, unknown>): Promise<Browser> {
  provider.behaviour.claims = claims;
  const browser = createBrowser(house, provider.authorize);
  assertArrived(await visit(browser, app), app);
  return browser;
}

/** Ana in two browsers, with a session each at the provider, and Eve. */
export async function people(t: TestContext, options: Partial<HouseOptions> = {}) {
  const ground = await layGround(t, options);
  const browsers = {
    ana: await signIn(ground, { sub: 'ana', sid: 'one' }),
    anaElsewhere: await signIn(ground, { sub: 'ana', sid: 'two' }),
    eve: await signIn(ground, { sub: 'eve', sid: 'three', email: 'eve@example.org' }),
  };
  const { authority } = ground.house;
  const live = async () => {
    const opened = await Promise.all(
      Object.entries(browsers).map(async ([name, browser]) =>
        (await authority.open(appHost, asCookie(sessionValue(browser, appHost)))) === undefined ? [] : [name],
      ),
    );
    return opened.flat().join(' ');
  };
  assert.equal(await live(), 'ana anaElsewhere eve');
  return { ...ground, browsers, live };
}

export function claimsOf({ issuer, settings }: FakeProvider, more: Record<string, unknown>) {
  const seconds = Math.floor(Date.now() / 1000);
  const times = { iat: seconds, exp: seconds + 120 };
  return { iss: issuer, aud: settings.clientId, ...times, jti: randomUUID(), events: { [event]: {} }, ...more };
}

export function tell({ house }: { house: House }, token: string, more: Partial<OwnRequest> = {}): Promise<Answer> {
  return house.authority.respond({
    method: 'POST',
    scheme: 'https',
    authority: authHost,
    host: authHost,
    path: '/oauth2/backchannel-logout',
    query: '',
    cookies: [],
    providers: [],
    contentType: 'application/x-www-form-urlencoded',
    body: new URLSearchParams({ logout_token: token }).toString(),
    ...more,
  });
}

export const statusOf = (answer: Answer) =>
  answer.kind === 'Json' ? answer.status : answer.kind === 'Page' ? answer.page.kind : answer.kind;

export const sign = (provider: FakeProvider, more: Record<string, unknown>) =>
  signWith(provider.privateKey, claimsOf(provider, more), {
    alg: 'ES256',
    kid: provider.publicJwk.kid ?? '',
    typ: 'logout+jwt',
  });
