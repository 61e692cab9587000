// The one page of ours that others may frame: by whom, and what is in it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publicAccess, withRig } from './rig.ts';
import type { RigOptions } from './rig.ts';

const local = 'Host: app.localhost';
const hosts: NonNullable<RigOptions['hosts']> = (to) => [{ host: 'app.localhost', routes: [to('/', publicAccess)] }];

test("it is for the provider's pages alone, is kept nowhere, and holds nothing", () =>
  withRig({ hosts }, async ({ get, authority }) => {
    authority.respond = () =>
      Promise.resolve({
        kind: 'Frame',
        ancestors: ['https://idp.example.com', 'https://sso.example.com:8443'],
        cookies: [],
      });
    const answer = await get('/.sallyport/frontchannel-logout', local, 'Sec-Fetch-Dest: iframe');
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.all('x-frame-options'), []);
    assert.deepEqual(answer.all('content-security-policy'), [
      "default-src 'none'; frame-ancestors https://idp.example.com https://sso.example.com:8443; base-uri 'none'",
    ]);
    assert.deepEqual(answer.all('cache-control'), ['no-store']);
    assert.deepEqual(answer.all('content-type'), ['text/html; charset=utf-8']);
    assert.match(answer.body, /^<!doctype html><html lang="en"><title>Signed out<\/title><\/html>\n$/);
  }));

test('where there is no provider nobody may', () =>
  withRig({ hosts }, async ({ get, authority }) => {
    authority.respond = () => Promise.resolve({ kind: 'Frame', ancestors: [], cookies: [] });
    const answer = await get('/.sallyport/frontchannel-logout', local);
    assert.match(answer.all('content-security-policy').join(), /frame-ancestors 'none'/);
  }));

test('what a logout needs to know of a request is passed on, and no more of it', () =>
  withRig({ hosts }, async ({ send, authority }) => {
    const asked: unknown[] = [];
    authority.respond = ({ contentType, fetchDestination, body, path }) => {
      asked.push({ contentType, fetchDestination, body, path });
      return Promise.resolve({ kind: 'Json', status: 200, body: {}, cookies: [] });
    };
    const form = 'logout_token=a.b.c';
    const answer = await send(
      `POST /.sallyport/backchannel-logout HTTP/1.1\r\nHost: app.localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${form.length}\r\n\r\n${form}`,
    );
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.all('cache-control'), ['no-store']);
    assert.deepEqual(asked, [
      {
        contentType: 'application/x-www-form-urlencoded',
        fetchDestination: undefined,
        body: form,
        path: '/.sallyport/backchannel-logout',
      },
    ]);
    const long = 'x'.repeat(17 * 1024);
    const tooLong = await send(
      `POST /.sallyport/backchannel-logout HTTP/1.1\r\nHost: app.localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${long.length}\r\n\r\n${long}`,
    );
    assert.equal(tooLong.status, 413);
    assert.equal(asked.length, 1);
  }));
