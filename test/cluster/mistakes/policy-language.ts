// Mistakes in what a Policy says of targets, data sets, times, headers, and its tests.
import { mistake } from './mistake.ts';
import type { Mistake } from './mistake.ts';

const engineers = 'rules: [{allow: {and: [{groups: {has: engineering}}]}}]';
const allow = (criterion: string) => `rules: [{allow: {and: [${criterion}]}}]`;
const everybodyBut = (deny: string) => `rules: [{allow: {and: [{authenticatedUser: true}]}, deny: {or: [${deny}]}}]`;
const targeting = (target: string) => `{targetRefs: [${target}], ${everybodyBut('{groups: {has: contractors}}')}}`;
const looking = (dataSet: string) => `{dataSets: [${dataSet}], ${allow('{email: {inDataSet: onCall}}')}}`;
const onCall = '{name: onCall, configMapRef: {name: people, key: people}}';
const testing = (test: string) => `{${engineers}, tests: [${test}]}`;

const inPlace: readonly Mistake[] = [
  mistake(
    'a target by name and by selector',
    targeting('{name: guarded, selector: {matchLabels: {tier: web}}}'),
    targeting('{selector: {}}'),
    /spec\.targetRefs\[0\].* exactly one of name, selector is needed/,
  ),
  mistake(
    'a target by labels without a selector',
    targeting('{matchLabels: {tier: web}}'),
    targeting('{selector: {}}'),
    /spec\.targetRefs\[0\].*selector/,
  ),
  mistake(
    "a target's matchLabels misspelt",
    targeting('{selector: {matchLabel: {tier: web}}}'),
    targeting('{selector: {}}'),
    /spec\.targetRefs\[0\]\.selector\.\(no field but matchLabels, matchExpressions\)/,
  ),
  mistake(
    'a target by a selector that is text',
    targeting('{selector: "tier=web"}'),
    targeting('{selector: {}}'),
    /spec\.targetRefs\[0\]\.selector.* must be of type object/,
  ),
  mistake(
    'targets that are an object',
    targeting('{name: guarded}').replace('[{name: guarded}]', '{name: guarded}'),
    targeting('{name: guarded}'),
    /unknown field "spec\.targetRefs\.name"|spec\.targetRefs.* must be of type array/,
  ),
  mistake(
    'an empty contact',
    `{contact: "", ${engineers}}`,
    `{contact: platform@example.com, ${engineers}}`,
    /spec\.contact.* at least 1 char/,
  ),
  mistake(
    'a contact that is a list',
    `{contact: [platform@example.com], ${engineers}}`,
    `{contact: platform@example.com, ${engineers}}`,
    /spec\.contact.* must be of type string/,
  ),
  mistake(
    'contact misspelt',
    `{contacts: platform@example.com, ${engineers}}`,
    `{contact: platform@example.com, ${engineers}}`,
    /spec\.\(no field but .*contact/,
  ),
  mistake(
    'reveal as text',
    `{reveal: "yes", ${engineers}}`,
    `{reveal: true, ${engineers}}`,
    /spec\.reveal.* must be of type boolean/,
  ),
  mistake(
    'the mode of a rule misspelt, so that a trial would be in force',
    'rules: [{modus: Audit, allow: {and: [{accept: true}]}}]',
    'rules: [{mode: Audit, allow: {and: [{accept: true}]}}]',
    /spec\.rules\[0\]\.\(no field but name, mode, allow, deny\)/,
  ),
  mistake(
    'the mode of a rule in lower case',
    'rules: [{mode: audit, allow: {and: [{accept: true}]}}]',
    'rules: [{mode: Audit, allow: {and: [{accept: true}]}}]',
    /spec\.rules\[0\]\.mode.*"Enforce", "Audit"/,
  ),
];

const inDataSets: readonly Mistake[] = [
  mistake('no data sets at all', looking(''), looking(onCall), /spec\.dataSets.* at least 1 items/),
  mistake(
    'a data set without its ConfigMap',
    looking('{name: onCall}'),
    looking(onCall),
    /spec\.dataSets\[0\]\.configMapRef: Required value/,
  ),
  mistake(
    'a data set without its name',
    looking('{configMapRef: {name: people}}'),
    looking(onCall),
    /spec\.dataSets\[0\]\.name: Required value/,
  ),
  mistake(
    'a data set whose name CEL could not spell',
    looking('{name: on-call, configMapRef: {name: people, key: people}}'),
    looking(onCall),
    /spec\.dataSets\[0\]\.name.* a name such as onCall is wanted/,
  ),
  mistake(
    'a data set of a Secret',
    looking('{name: onCall, secretRef: {name: people}}'),
    looking(onCall),
    /spec\.dataSets\[0\]\.configMapRef: Required value/,
  ),
  mistake(
    'a ConfigMap of another namespace',
    looking('{name: onCall, configMapRef: {namespace: blog, name: people}}'),
    looking(onCall),
    /spec\.dataSets\[0\]\.configMapRef\.\(no field but name, key\)/,
  ),
  mistake(
    'staleAfter misspelt, so that it would be believed for ever',
    looking(onCall.replace(/}$/, ', staleAfer: 1h}')),
    looking(onCall.replace(/}$/, ', staleAfter: 1h}')),
    /spec\.dataSets\[0\]\.\(no field but name, configMapRef, staleAfter\)/,
  ),
  mistake(
    'an age in words',
    looking(onCall.replace(/}$/, ', staleAfter: 1 day}')),
    looking(onCall.replace(/}$/, ', staleAfter: 24h}')),
    /spec\.dataSets\[0\]\.staleAfter/,
  ),
  mistake(
    'an age of nothing',
    looking(onCall.replace(/}$/, ', staleAfter: 0s}')),
    looking(onCall.replace(/}$/, ', staleAfter: 1s}')),
    /spec\.dataSets\[0\]\.staleAfter.* a duration above zero and of at most 720h is wanted/,
  ),
  mistake(
    'inDataSet of several',
    looking(onCall).replace('inDataSet: onCall', 'inDataSet: [onCall]'),
    looking(onCall),
    /\.email\.inDataSet.* must be of type string/,
  ),
];

const at = String.raw`spec\.rules\[0\]\.deny\.or\[0\]`;
const denied = (name: string, wrong: string, right: string, says: string): Mistake =>
  mistake(name, everybodyBut(wrong), everybodyBut(right), new RegExp(at + says));

const inCriteria: readonly Mistake[] = [
  denied(
    'an empty pattern',
    '{email: {matches: ""}}',
    '{email: {matches: ".*"}}',
    String.raw`\.email\.matches.* at least 1 char`,
  ),
  denied(
    'a header without its name',
    '{header: {is: curl}}',
    '{header: {name: User-Agent, is: curl}}',
    String.raw`\.header\.name: Required value`,
  ),
  denied(
    'a header by name alone',
    '{header: {name: User-Agent}}',
    '{header: {name: User-Agent, is: curl}}',
    String.raw`\.header:.*name and exactly one of is, not, in`,
  ),
  denied(
    'a header with two operators',
    '{header: {name: User-Agent, is: curl, not: wget}}',
    '{header: {name: User-Agent, is: curl}}',
    String.raw`\.header:.*name and exactly one of is, not, in|\.header: Too many`,
  ),
  denied(
    'a header with a colon in its name',
    '{header: {name: "User-Agent:", is: curl}}',
    '{header: {name: User-Agent, is: curl}}',
    String.raw`\.header\.name.*should match .*A-Za-z0-9-`,
  ),
  denied(
    'a header by its own name',
    '{header: {User-Agent: curl}}',
    '{header: {name: User-Agent, is: curl}}',
    String.raw`\.header\.name: Required value`,
  ),
  denied(
    'a parameter without its name',
    '{query: {is: "1"}}',
    '{query: {name: debug, is: "1"}}',
    String.raw`\.query\.name: Required value`,
  ),
  denied(
    'a parameter that is a number',
    '{query: {name: debug, is: 1}}',
    '{query: {name: debug, is: "1"}}',
    String.raw`\.query\.is.* must be of type string`,
  ),
  denied(
    'a time of day that is none',
    '{timeOfDay: {after: "24:00"}}',
    '{timeOfDay: {after: "00:00"}}',
    String.raw`\.timeOfDay\.after.* a time of day is wanted, such as 08:30`,
  ),
  denied(
    'a time of day with one digit',
    '{timeOfDay: {before: "8:30"}}',
    '{timeOfDay: {before: "08:30"}}',
    String.raw`\.timeOfDay\.before.* a time of day is wanted, such as 08:30`,
  ),
  denied(
    'no time of day',
    '{timeOfDay: {timezone: Europe/Berlin}}',
    '{timeOfDay: {after: "20:00", timezone: Europe/Berlin}}',
    String.raw`\.timeOfDay:.* after or before is needed`,
  ),
  denied(
    'before misspelt beside after',
    '{timeOfDay: {after: "20:00", befor: "06:00"}}',
    '{timeOfDay: {after: "20:00", before: "06:00"}}',
    String.raw`\.timeOfDay\.\(no field but after, before, timezone\)`,
  ),
  denied(
    'the zone misspelt, so that it would be UTC',
    '{timeOfDay: {after: "20:00", timeZone: Europe/Berlin}}',
    '{timeOfDay: {after: "20:00", timezone: Europe/Berlin}}',
    String.raw`\.timeOfDay\.\(no field but after, before, timezone\)`,
  ),
  denied(
    'a zone in words',
    '{timeOfDay: {after: "20:00", timezone: Central European Time}}',
    '{timeOfDay: {after: "20:00", timezone: Europe/Berlin}}',
    String.raw`\.timeOfDay\.timezone.*should match`,
  ),
  denied(
    'a day by three letters',
    '{dayOfWeek: {in: [Sat, Sun]}}',
    '{dayOfWeek: {in: [Saturday, Sunday]}}',
    String.raw`\.dayOfWeek\.in\[0\].*"Monday", "Tuesday"`,
  ),
  denied(
    'no day',
    '{dayOfWeek: {in: []}}',
    '{dayOfWeek: {in: [Sunday]}}',
    String.raw`\.dayOfWeek\.in.* at least 1 items`,
  ),
  denied(
    'a day by is',
    '{dayOfWeek: {is: Sunday}}',
    '{dayOfWeek: {in: [Sunday]}}',
    String.raw`\.dayOfWeek\.in: Required value`,
  ),
  denied(
    'a date as in Berlin',
    '{date: {after: 24.12.2026}}',
    '{date: {after: "2026-12-24"}}',
    String.raw`\.date\.after.* should match`,
  ),
  denied(
    'a month that is none',
    '{date: {after: "2026-13-01"}}',
    '{date: {after: "2027-01-01"}}',
    String.raw`\.date\.after.* should match`,
  ),
  denied(
    'from and until for a date',
    '{date: {from: "2026-12-24"}}',
    '{date: {after: "2026-12-24"}}',
    String.raw`\.date`,
  ),
  denied(
    'a duration that is a number',
    '{authenticatedWithin: 15}',
    '{authenticatedWithin: 15m}',
    String.raw`\.authenticatedWithin.* must be of type string`,
  ),
  denied(
    'a duration in words',
    '{authenticatedWithin: 15 minutes}',
    '{authenticatedWithin: 15m}',
    String.raw`\.authenticatedWithin`,
  ),
  denied(
    'a session both over and under',
    '{sessionAge: {over: 1h, under: 8h}}',
    '{sessionAge: {over: 1h}}',
    String.raw`\.sessionAge: Too many: 2`,
  ),
  denied(
    'a session of an age',
    '{sessionAge: 8h}',
    '{sessionAge: {over: 8h}}',
    String.raw`\.sessionAge.* must be of type object`,
  ),
  denied('an empty CEL expression', '{cel: ""}', '{cel: "false"}', String.raw`\.cel.* at least 1 char`),
  denied('a CEL expression in an object', '{cel: {expression: "true"}}', '{cel: "true"}', String.raw`\.cel`),
  denied(
    'a CEL expression without end',
    `{cel: "${'true && '.repeat(300)}true"}`,
    '{cel: "true"}',
    String.raw`\.cel.* may not be more than`,
  ),
  denied(
    'a device, which is reserved',
    '{device: {is: laptop}}',
    '{accept: true}',
    String.raw`:.*device and mcpTool are reserved, and not there yet`,
  ),
  denied(
    'a tool of MCP, which is reserved',
    '{mcpTool: {is: delete}}',
    '{accept: true}',
    String.raw`:.*device and mcpTool are reserved, and not there yet`,
  ),
  denied(
    'a fingerprint of SHA-1',
    '{clientCertificate: {fingerprint: [da39a3ee5e6b4b0d3255bfef95601890afd80709]}}',
    '{reject: true}',
    String.raw`\.clientCertificate\.fingerprint\[0\].*should match`,
  ),
  denied(
    'a workload in two fields',
    '{serviceAccount: {namespace: ci, name: deployer}}',
    '{serviceAccount: {is: ci/deployer}}',
    String.raw`\.serviceAccount:`,
  ),
  denied(
    'corsPreflight: false',
    '{corsPreflight: false}',
    '{corsPreflight: true}',
    String.raw`\.corsPreflight.*"true"`,
  ),
  denied(
    'a list operator for a text',
    '{acr: {has: gold}}',
    '{acr: {is: gold}}',
    String.raw`\.acr:.*exactly one of is, not, in`,
  ),
  denied(
    'a text operator for a list',
    '{authenticationMethod: {in: [otp]}}',
    '{authenticationMethod: {has: otp}}',
    String.raw`\.authenticationMethod:.*exactly one of has, is, exclude`,
  ),
];

const inTests: readonly Mistake[] = [
  mistake(
    'a moment that is a number',
    testing('{at: 1767225600, as: null, expect: Login}'),
    engineers,
    /spec\.tests\[0\]\.at.* must be of type string/,
  ),
  mistake(
    'when they proved who they are, misspelt',
    testing('{as: {email: a@example.com, authenticatedTime: "2026-01-01T00:00:00Z"}, expect: Deny}'),
    engineers,
    /unknown field "spec\.tests\[0\]\.as\.authenticatedTime"/,
  ),
  mistake(
    'a query of a test as text',
    testing('{as: null, request: {query: debug=1}, expect: Login}'),
    engineers,
    /spec\.tests\[0\]\.request\.query.* must be of type object/,
  ),
  mistake(
    'data of a test as a list',
    testing('{as: null, data: [onCall], expect: Login}'),
    engineers,
    /spec\.tests\[0\]\.data.* must be of type object/,
  ),
];

export const policyLanguageMistakes: readonly Mistake[] = [...inPlace, ...inDataSets, ...inCriteria, ...inTests];
