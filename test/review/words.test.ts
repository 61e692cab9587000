// Rules in words: every criterion has some, and the odd operators are read as they are judged.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { criterionNames } from '../../src/model/criteria.ts';
import type { Criterion } from '../../src/model/criteria.ts';
import { describeCriterion, describeOperators } from '../../src/review/words.ts';

const words: readonly (readonly [Criterion, string])[] = [
  [{ accept: true }, 'everybody'],
  [{ reject: true }, 'nobody'],
  [{ authenticatedUser: true }, 'anybody signed in'],
  [{ user: { is: 'u1' } }, 'the user is u1'],
  [{ email: { in: ['a@x.org', 'b@x.org'] } }, 'the e-mail address is one of a@x.org, b@x.org'],
  [{ domain: { not: 'x.org' } }, 'the e-mail domain is not x.org'],
  [{ groups: { has: 'staff' } }, 'the groups hold staff'],
  [{ groups: { hasAnyInDataSet: 'onCall' } }, 'the groups hold one of data set onCall'],
  [{ claim: { path: ['realm_access', 'roles'], exclude: 'x' } }, 'the claim realm_access / roles do not hold x'],
  [{ serviceAccount: { startsWith: 'ci/' } }, 'the workload begins with ci/'],
  [{ acr: { is: 'gold' } }, 'the authentication context is gold'],
  [{ authenticationMethod: { has: 'mfa' } }, 'the ways of signing in hold mfa'],
  [{ authenticatedWithin: '1h' }, 'the sign-in is at most 1h old'],
  [{ sessionAge: { under: '8h' } }, 'the session is under 8h old'],
  [{ sessionAge: { over: '8h' } }, 'the session is 8h old or older'],
  [{ httpMethod: { notIn: ['GET', 'HEAD'] } }, 'the method is none of GET, HEAD'],
  [{ httpPath: { matches: '/d/[0-9]+' } }, 'the path matches /d/[0-9]+'],
  [{ header: { name: 'X-Team', contains: 'core' } }, 'the header X-Team contains core'],
  [{ query: { name: 'as', inDataSet: 'robots' } }, 'the query parameter as stands in data set robots'],
  [{ corsPreflight: true }, 'it is a CORS preflight'],
  [{ sourceIp: { in: ['10.0.0.0/8', '::1'] } }, 'the address is in 10.0.0.0/8, ::1'],
  [{ timeOfDay: { after: '20:00', before: '06:00', timezone: 'UTC' } }, 'the time is from 20:00 until 06:00 (UTC)'],
  [{ dayOfWeek: { in: ['Monday', 'Friday'], timezone: 'UTC' } }, 'the day is Monday or Friday (UTC)'],
  [{ date: { after: '2026-12-24', timezone: 'UTC' } }, 'the date is 2026-12-24 or later (UTC)'],
  [{ date: { before: '2026-12-24', timezone: 'UTC' } }, 'the date is before 2026-12-24 (UTC)'],
  [{ clientCertificate: { sanDns: { is: 'a' } } }, 'the client certificate has {"sanDns":{"is":"a"}}'],
  [{ invalidClientCertificate: true }, 'there is no valid client certificate'],
  [{ cel: 'now > now' }, 'now > now (CEL)'],
];

test('every criterion has words', () => {
  for (const [criterion, wanted] of words) assert.equal(describeCriterion(criterion), wanted);
  const named = new Set(words.flatMap(([criterion]) => Object.keys(criterion)));
  assert.deepEqual(
    criterionNames.filter((name) => !named.has(name)),
    [],
  );
});

test('one that a newer version sends is shown as it is', () => {
  assert.equal(describeCriterion({ toString: 1 } as unknown as Criterion), '{"toString":1}');
});

test('operators are joined as they are judged', () => {
  const [a, b]: Criterion[] = [{ groups: { has: 'a' } }, { groups: { has: 'b' } }];
  assert.ok(a && b);
  assert.equal(describeOperators({ and: [a, b] }), 'the groups hold a, and the groups hold b');
  assert.equal(describeOperators({ or: [a, b] }), 'the groups hold a, or the groups hold b');
  assert.equal(describeOperators({ not: [a, b] }), 'not: the groups hold a, and not: the groups hold b');
  assert.equal(describeOperators({ nor: [a, b] }), 'not: the groups hold a, or not: the groups hold b');
  assert.equal(
    describeOperators({ and: [a, b], not: [b] }),
    '(the groups hold a, and the groups hold b), or not: the groups hold b',
  );
});
