// Mistakes in a Policy that the API server cannot know: it takes them, and the controller's status says what is wrong.
import { mistake } from './mistake.ts';
import type { Mistake } from './mistake.ts';

const engineers = 'rules: [{allow: {and: [{groups: {has: engineering}}]}}]';
const everybodyBut = (deny: string) => `rules: [{allow: {and: [{authenticatedUser: true}]}, deny: {or: [${deny}]}}]`;
const at = String.raw`^spec\.rules\[0\]\.deny\.or\[0\]`;
const denied = (name: string, wrong: string, right: string, says: string): Mistake =>
  mistake(name, everybodyBut(wrong), everybodyBut(right), new RegExp(at + says));
const looking = (dataSets: string, criterion: string) => `{dataSets: [${dataSets}], ${everybodyBut(criterion)}}`;
const onCall = '{name: onCall, configMapRef: {name: people, key: people}}';

/** `says` is what a condition of the status must say: `field: what is wrong`. */
export const beyondTheCrd: readonly Mistake[] = [
  denied(
    'CEL that breaks off',
    '{cel: "user.email =="}',
    '{cel: "user.email == \'\'"}',
    String.raw`\.cel: at character \d+: `,
  ),
  denied('CEL that is no truth', '{cel: "request.path"}', '{cel: "request.path == \'/\'"}', String.raw`\.cel: .*bool`),
  denied(
    'CEL that compares a text and a number',
    '{cel: "request.method == 1"}',
    '{cel: "request.method == \'POST\'"}',
    String.raw`\.cel: `,
  ),
  denied(
    'CEL of a variable that there is not',
    '{cel: "resource.path == \'/\'"}',
    '{cel: "request.path == \'/\'"}',
    String.raw`\.cel: .*resource`,
  ),
  denied(
    'CEL of a field that there is not',
    '{cel: "request.paths == \'/\'"}',
    '{cel: "request.path == \'/\'"}',
    String.raw`\.cel: .*paths`,
  ),
  denied(
    'CEL of a data set that there is not',
    '{cel: "user.email in data.onCall"}',
    '{cel: "false"}',
    String.raw`\.cel: .*onCall`,
  ),
  denied(
    'a pattern without its end',
    '{httpPath: {matches: "/(a|b"}}',
    '{httpPath: {matches: "/(a|b)"}}',
    String.raw`\.httpPath\.matches: `,
  ),
  denied(
    'a pattern that looks behind',
    '{email: {matches: "(?<!a)b"}}',
    '{email: {matches: "b"}}',
    String.raw`\.email\.matches: `,
  ),
  denied(
    'a pattern that refers back',
    String.raw`{email: {matches: '(a)\1'}}`,
    '{email: {matches: "aa"}}',
    String.raw`\.email\.matches: `,
  ),
  denied(
    'a zone that there is not',
    '{timeOfDay: {after: "20:00", timezone: Europe/Atlantis}}',
    '{timeOfDay: {after: "20:00", timezone: Europe/Athens}}',
    String.raw`\.timeOfDay\.timezone: there is no such time zone`,
  ),
  denied(
    'a day that there is not',
    '{date: {after: "2026-02-30"}}',
    '{date: {after: "2026-03-02"}}',
    String.raw`\.date\.after: there is no such day`,
  ),
  denied(
    'a time after and before the same',
    '{timeOfDay: {after: "20:00", before: "20:00"}}',
    '{timeOfDay: {after: "20:00", before: "21:00"}}',
    String.raw`\.timeOfDay: no time is after and before the same`,
  ),
  denied(
    'an address of IPv6 with two gaps',
    '{sourceIp: {is: "2001:db8::1::1"}}',
    '{sourceIp: {is: "2001:db8::1:1"}}',
    String.raw`\.sourceIp\.is: an address or a CIDR is wanted`,
  ),
  denied(
    'a method in lower case',
    '{httpMethod: {is: delete}}',
    '{httpMethod: {is: DELETE}}',
    String.raw`\.httpMethod\.is: .*upper-case`,
  ),
  denied(
    'a path without its slash',
    '{httpPath: {startsWith: admin}}',
    '{httpPath: {startsWith: /admin}}',
    String.raw`\.httpPath\.startsWith: .*begin with /`,
  ),
  denied(
    'a domain with its @',
    '{domain: {is: "@example.com"}}',
    '{domain: {is: example.com}}',
    String.raw`\.domain\.is: .*without the @`,
  ),
  denied(
    'a workload without its namespace',
    '{serviceAccount: {is: deployer}}',
    '{serviceAccount: {is: ci/deployer}}',
    String.raw`\.serviceAccount\.is: .*namespace/name is wanted`,
  ),
  mistake(
    'a data set that there is not',
    looking(onCall, '{email: {inDataSet: oncall}}'),
    looking(onCall, '{email: {inDataSet: onCall}}'),
    new RegExp(at + String.raw`\.email\.inDataSet: there is no data set oncall: did you mean onCall`),
  ),
  mistake(
    'two data sets of one name',
    looking(`${onCall}, ${onCall}`, '{email: {inDataSet: onCall}}'),
    looking(onCall, '{email: {inDataSet: onCall}}'),
    /^spec\.dataSets\[1\]\.name: there are two data sets of the name onCall/,
  ),
  mistake(
    'a ConfigMap that there is not',
    looking(onCall.replace('name: people', 'name: persons'), '{email: {inDataSet: onCall}}'),
    looking(onCall, '{email: {inDataSet: onCall}}'),
    /^spec\.dataSets\[0\]\.configMapRef: there is no ConfigMap default\/persons/,
  ),
  mistake(
    'a key that the ConfigMap has not',
    looking(onCall.replace('key: people', 'key: persons'), '{email: {inDataSet: onCall}}'),
    looking(onCall, '{email: {inDataSet: onCall}}'),
    /^spec\.dataSets\[0\]\.configMapRef: .*there is no key persons/,
  ),
  mistake(
    'a test that fails',
    `{${engineers}, tests: [{as: {groups: [staff]}, expect: Allow}]}`,
    engineers,
    /^spec\.tests\[0\]: /,
  ),
  mistake(
    'a test that does not say when',
    `{${everybodyBut('{timeOfDay: {after: "20:00"}}')}, tests: [{as: {user: ana}, expect: Allow}]}`,
    everybodyBut('{timeOfDay: {after: "20:00"}}'),
    /^spec\.tests\[0\]/,
  ),
  mistake(
    'a test from no address',
    `{${engineers}, tests: [{request: {ip: office}, as: null, expect: Login}]}`,
    engineers,
    /^spec\.tests\[0\]\.request\.ip: an address is wanted/,
  ),
  mistake(
    'a test at no moment',
    `{${engineers}, tests: [{at: tomorrow, as: null, expect: Login}]}`,
    engineers,
    /^spec\.tests\[0\]\.at: /,
  ),
  mistake(
    'a test with data of no data set',
    `{${engineers}, tests: [{data: {onCall: []}, as: null, expect: Login}]}`,
    engineers,
    /^spec\.tests\[0\]\.data\.onCall: there is no data set onCall/,
  ),
  mistake(
    'a provider that there is not',
    `{identityProviderRef: {name: elsewhere}, ${engineers}}`,
    engineers,
    /^spec\.identityProviderRef\.name: there is no IdentityProvider elsewhere/,
  ),
];
