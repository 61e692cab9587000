// What holds of every request that node:http can deliver: one canonical form, or a refusal, and never a throw.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { defaultClassSettings } from '../../src/model/settings.ts';
import { canonicalRequest } from '../../src/proxy/request.ts';
import type { Canonical, RawRequest } from '../../src/proxy/request.ts';
import { canonicalTarget } from '../../src/proxy/target.ts';
import { engineersAccess, publicAccess, withRig } from '../proxy/rig.ts';

const settings = {
  ...defaultClassSettings,
  authenticationHost: 'auth.example.com:8443',
  trustedProxies: ['10.0.0.0/8'],
};

const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
/** Paths made of the pieces that confuse. */
const pieces = fc.constantFrom(
  '/',
  '//',
  '.',
  '..',
  '%2e',
  '%2E',
  '%2f',
  '%5C',
  '%',
  '%41',
  '%7e',
  '%7E',
  '%c3%a9',
  '%00',
  '%25',
  ';',
  '?',
  '#',
  '\\',
  'a',
  'Z',
  '~',
  '*',
  '@',
  ':',
  '[',
  '%c0%ae',
  'http:',
  ' ',
);
const target = fc.oneof(
  latin1,
  fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.array(pieces, { maxLength: 12 }).map((parts) => `/${parts.join('')}`),
);
const host = fc.oneof(
  latin1,
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.constantFrom('App.Example.com.', 'a.b:8080', 'a:8443', 'a:80', 'a:1', '[::1', '[::ffff:127.0.0.1]'),
);
const header = fc.tuple(
  fc.constantFrom(
    'Host',
    'host',
    'Content-Length',
    'Transfer-Encoding',
    'X-Forwarded-For',
    'x-forwarded-proto',
    'Authorization',
    '__proto__',
    'X-A',
  ),
  fc.oneof(
    latin1,
    host,
    fc.constantFrom('chunked', 'gzip, chunked', '5', '0x5', 'https', '10.0.0.1, 1.2.3.4', '1.2.3.4:99'),
  ),
);
const raw: fc.Arbitrary<RawRequest> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'TRACE', 'get', 'CONNECT', 'PROPFIND', ''),
  target,
  rawHeaders: fc
    .tuple(fc.option(host), fc.array(header, { maxLength: 5 }))
    .map(([name, others]) => [...(name === null ? [] : ['Host', name]), ...others.flat()]),
  peer: fc.oneof(fc.ipV4(), fc.constantFrom('10.0.0.9', '::1')),
  encrypted: fc.boolean(),
  port: fc.constantFrom(80, 8080),
});

/** Most of these are sound: what makes a request one is asked of them, not what makes it none. */
const likely: fc.Arbitrary<RawRequest> = fc.record({
  method: fc.constantFrom('GET', 'POST'),
  target: fc
    .array(fc.constantFrom('/', '//', 'a', '%41', '%c3%a9', '%25', ';', '...', '?x=%2f', '~', 'b.c'), { maxLength: 10 })
    .map((parts) => `/${parts.join('')}`),
  rawHeaders: fc
    .constantFrom('App.Example.com.', 'a.b:8080', 'a:8443', '[::1]', '127.0.0.1:80')
    .map((name) => ['Host', name, 'X-Forwarded-For', '1.2.3.4:99, 10.0.0.1']),
  peer: fc.constantFrom('10.0.0.9', '::1', '192.0.2.1'),
  encrypted: fc.constant(false),
  port: fc.constantFrom(80, 8080),
});

const decide = (request: RawRequest): Canonical => canonicalRequest(request, settings);

test('no request makes it throw, and each is one thing or the other', () => {
  fc.assert(
    fc.property(raw, (request) => {
      const canonical = decide(request);
      assert.equal('ok' in canonical, !('refused' in canonical));
    }),
    { numRuns: 3_000 },
  );
});

test('the canonical form of a canonical request is itself', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.oneof(raw, likely), (request) => {
      const first = decide(request);
      if ('refused' in first) return;
      accepted += 1;
      const { path, query, authority, host } = first.ok;
      const others = request.rawHeaders.flatMap((name, at) =>
        at % 2 === 0 && name.toLowerCase() !== 'host' ? [name, request.rawHeaders[at + 1] ?? ''] : [],
      );
      const second = decide({ ...request, target: path + query, rawHeaders: ['Host', authority, ...others] });
      assert.ok('ok' in second);
      const { ok } = second;
      assert.deepEqual(
        [ok.path, ok.query, ok.authority, ok.host, ok.client],
        [path, query, authority, host, first.ok.client],
      );
    }),
    { numRuns: 5_000 },
  );
  assert.ok(accepted > 200, `${accepted} accepted`);
});

test('a canonical path has one reading: no dot segment, no empty segment, nothing encoded that need not be', () => {
  fc.assert(
    fc.property(target, (given) => {
      const canonical = canonicalTarget(given);
      if ('detail' in canonical) return;
      const { path, query } = canonical;
      assert.match(path, /^\/[\x21-\x7e]*$/);
      assert.doesNotMatch(path, /\/\/|\\|#|\?|"|<|>/);
      for (const segment of path.split('/')) assert.doesNotMatch(segment, /^\.{1,2}(?:$|;|%3B)/);
      for (const encoded of path.match(/%../g) ?? []) {
        const code = Number.parseInt(encoded.slice(1), 16);
        assert.ok(code > 31 && code !== 127 && !/[A-Za-z0-9._~/\\-]/.test(String.fromCharCode(code)), encoded);
      }
      // The query is untouched.
      assert.equal(query, given.includes('?') ? given.slice(given.indexOf('?')) : '');
    }),
    { numRuns: 5_000 },
  );
});

test('what is equal to an application is equal to the policy: encoding unreserved characters changes nothing', () => {
  const plain = fc
    .array(fc.constantFrom('a', 'Z', '0', '-', '.b', '_', '~', 'x/y'), { minLength: 1, maxLength: 10 })
    .map((parts) => `/${parts.join('')}`);
  fc.assert(
    fc.property(plain, fc.infiniteStream(fc.boolean()), (path, choices) => {
      const encode = (character: string): string => {
        const { value } = choices.next();
        const hex = character.charCodeAt(0).toString(16);
        return character === '/' || value !== true ? character : `%${hex.length === 1 ? `0${hex}` : hex}`;
      };
      assert.deepEqual(canonicalTarget(path.split('').map(encode).join('')), canonicalTarget(path));
    }),
    { numRuns: 2_000 },
  );
});

test('over the wire: what is forwarded is what was judged, and what is closed stays closed', () =>
  withRig(
    { hosts: (to) => [{ host: 'app.example.com', routes: [to('/a', engineersAccess), to('/', publicAccess)] }] },
    async ({ get, upstream }) => {
      const parts = fc
        .array(fc.constantFrom('/', '//', '/a', '/%61', '/b', 'a', '..', '/.', '%2f', ';', '?', '%41', '%25', '#'), {
          maxLength: 6,
        })
        .map((pieces) => `/${pieces.join('')}`);
      await fc.assert(
        fc.asyncProperty(parts, async (given) => {
          const before = upstream.requests.length;
          const canonical = canonicalTarget(given);
          const { status } = await get(given);
          const forwarded = upstream.requests[before]?.split(' ', 2)[1];
          if ('detail' in canonical) return assert.deepEqual([status, forwarded], [400, undefined]);
          if (/^\/a(?:\/|$)/.test(canonical.path)) return assert.deepEqual([status, forwarded], [403, undefined]);
          assert.deepEqual([status, forwarded], [200, canonical.path + canonical.query]);
        }),
        { numRuns: 200 },
      );
    },
  ));
