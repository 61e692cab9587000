// Mistakes in a Policy, from its top to its innermost matcher.
import { mistake } from './mistake.ts';
import type { Mistake } from './mistake.ts';

const engineers = '{allow: {and: [{groups: {has: engineering}}]}}';
const allow = (criterion: string) => `rules: [{allow: {and: [${criterion}]}}]`;
const everybodyBut = (deny: string) => `rules: [{allow: {and: [{authenticatedUser: true}]}, ${deny}}]`;
const notOurs = 'deny: {not: [{email: {endsWith: "@example.com"}}]}';

const atTheTop: readonly Mistake[] = [
  mistake('no spec fields at all', '{}', `rules: [${engineers}]`, /spec\.rules: Required value/),
  mistake(
    'rules misspelt',
    `rulse: [${engineers}]`,
    `rules: [${engineers}]`,
    /no field but .*rules.*|spec\.rules: Req/,
  ),
  mistake('rules empty', 'rules: []', `rules: [${engineers}]`, /spec\.rules.* at least 1 items/),
  mistake('rules as an object', `rules: ${engineers}`, `rules: [${engineers}]`, /unknown field "spec\.rules\.allow"/),
  mistake('rules as a text', 'rules: engineers', `rules: [${engineers}]`, /spec\.rules.* must be of type array/),
  mistake(
    'too many rules',
    `rules: [${Array.from({ length: 129 }, () => engineers).join(', ')}]`,
    `rules: [${engineers}]`,
    /spec\.rules.*at most 128 items/,
  ),
  mistake(
    'mode misspelt, so that a trial would be in force',
    `{modus: Audit, ${allow('{accept: true}')}}`,
    `{mode: Audit, ${allow('{accept: true}')}}`,
    /spec\.\(no field but .*mode/,
  ),
  mistake(
    'mode in lower case',
    `{mode: enforce, rules: [${engineers}]}`,
    `{mode: Enforce, rules: [${engineers}]}`,
    /spec\.mode.*"Enforce", "Audit"/,
  ),
  mistake(
    'a mode that there is not',
    `{mode: DryRun, rules: [${engineers}]}`,
    `{mode: Audit, rules: [${engineers}]}`,
    /spec\.mode.*"Enforce", "Audit"/,
  ),
  mistake(
    'the reference to a provider misspelt, so that people would sign in at the default one',
    `{identityProvider: {name: partners}, ${allow('{authenticatedUser: true}')}}`,
    `{identityProviderRef: {name: partners}, ${allow('{authenticatedUser: true}')}}`,
    /spec\.\(no field but .*identityProviderRef/,
  ),
  mistake(
    'a reference to a provider by text',
    `{identityProviderRef: partners, ${allow('{authenticatedUser: true}')}}`,
    `{identityProviderRef: {name: partners}, ${allow('{authenticatedUser: true}')}}`,
    /spec\.identityProviderRef.* must be of type object/,
  ),
  mistake(
    'a reference to a provider without its name',
    `{identityProviderRef: {}, ${allow('{authenticatedUser: true}')}}`,
    `{identityProviderRef: {name: partners}, ${allow('{authenticatedUser: true}')}}`,
    /spec\.identityProviderRef\.name: Required value/,
  ),
  mistake(
    'targetRefs misspelt, so that a guard would stand nowhere',
    `{targetRef: [{name: guarded}], ${everybodyBut(notOurs)}}`,
    `{targetRefs: [{name: guarded}], ${everybodyBut(notOurs)}}`,
    /spec\.\(no field but .*targetRefs/,
  ),
  mistake(
    'a target of another kind',
    `{targetRefs: [{kind: Service, name: guarded}], rules: [${engineers}]}`,
    `{targetRefs: [{kind: Ingress, name: guarded}], rules: [${engineers}]}`,
    /spec\.targetRefs\[0\]\.kind.*"Ingress"/,
  ),
  mistake(
    'a target of another group',
    `{targetRefs: [{group: gateway.networking.k8s.io, name: guarded}], rules: [${engineers}]}`,
    `{targetRefs: [{name: guarded}], rules: [${engineers}]}`,
    /spec\.targetRefs\[0\]\.group.*"networking\.k8s\.io"/,
  ),
  mistake(
    'a target without its name',
    `{targetRefs: [{kind: Ingress}], rules: [${engineers}]}`,
    `{targetRefs: [{name: guarded}], rules: [${engineers}]}`,
    /spec\.targetRefs\[0\].* exactly one of name, selector is needed/,
  ),
  mistake(
    'a target in another namespace',
    `{targetRefs: [{name: guarded, namespace: blog}], rules: [${engineers}]}`,
    `{targetRefs: [{name: guarded}], rules: [${engineers}]}`,
    /spec\.targetRefs\[0\]\.\(no field but group, kind, name, selector\)/,
  ),
];

const inRules: readonly Mistake[] = [
  mistake('an empty rule', 'rules: [{}]', `rules: [${engineers}]`, /spec\.rules\[0\].* allow or deny is needed/),
  mistake(
    'a rule with nothing but a name',
    'rules: [{name: engineers}]',
    `rules: [${engineers}]`,
    /spec\.rules\[0\].* allow or deny is needed/,
  ),
  mistake(
    'deny misspelt beside an allow',
    everybodyBut(notOurs.replace('deny', 'dney')),
    everybodyBut(notOurs),
    /spec\.rules\[0\]\.\(no field but name, mode, allow, deny\)/,
  ),
  mistake(
    'deny in upper case beside an allow',
    everybodyBut(notOurs.replace('deny', 'Deny')),
    everybodyBut(notOurs),
    /spec\.rules\[0\]\.\(no field but name, mode, allow, deny\)/,
  ),
  mistake(
    'deny misspelt beside an allow and a name',
    everybodyBut(`name: ours, ${notOurs.replace('deny', 'denny')}`),
    everybodyBut(notOurs),
    /spec\.rules\[0\]\.\(no field but name, mode, allow, deny\)/,
  ),
  mistake(
    'an empty allow',
    'rules: [{allow: {}}]',
    `rules: [${engineers}]`,
    /spec\.rules\[0\]\.allow.* and, or, not, nor/,
  ),
  mistake(
    'an allow that is a list',
    'rules: [{allow: [{groups: {has: engineering}}]}]',
    `rules: [${engineers}]`,
    /spec\.rules\[0\]\.allow.* must be of type object/,
  ),
  mistake(
    'an operator misspelt',
    'rules: [{allow: {adn: [{groups: {has: engineering}}]}}]',
    `rules: [${engineers}]`,
    /spec\.rules\[0\]\.allow\.\(no field but and, or, not, nor\)/,
  ),
  mistake(
    'not misspelt beside an or that denies',
    everybodyBut('deny: {or: [{httpMethod: {is: DELETE}}], nto: [{email: {endsWith: "@example.com"}}]}'),
    everybodyBut('deny: {or: [{httpMethod: {is: DELETE}}], not: [{email: {endsWith: "@example.com"}}]}'),
    /spec\.rules\[0\]\.deny\.\(no field but and, or, not, nor\)/,
  ),
  mistake(
    'nor misspelt in a deny',
    everybodyBut('deny: {neither: [{email: {endsWith: "@example.com"}}]}'),
    everybodyBut('deny: {nor: [{email: {endsWith: "@example.com"}}]}'),
    /spec\.rules\[0\]\.deny\.\(no field but and, or, not, nor\)/,
  ),
  mistake(
    'an operator with an empty list',
    'rules: [{allow: {and: []}}]',
    `rules: [${engineers}]`,
    /spec\.rules\[0\]\.allow\.and.* at least 1 items/,
  ),
  mistake(
    'an operator with an object',
    'rules: [{allow: {and: {groups: {has: engineering}}}}]',
    `rules: [${engineers}]`,
    /unknown field "spec\.rules\[0\]\.allow\.and\.groups"/,
  ),
  mistake(
    'an operator within an operator',
    allow('{or: [{groups: {has: engineering}}]}'),
    `rules: [${engineers}]`,
    /spec\.rules\[0\]\.allow\.and\[0\].* exactly one of accept, .*groups.* is needed/,
  ),
  mistake(
    'too many criteria',
    allow(Array.from({ length: 65 }, () => '{groups: {has: engineering}}').join(', ')),
    `rules: [${engineers}]`,
    /spec\.rules\[0\]\.allow\.and.*at most 64 items/,
  ),
  mistake(
    'a name that is a number',
    `rules: [{name: 7, allow: {and: [{groups: {has: engineering}}]}}]`,
    `rules: [${engineers}]`,
    /spec\.rules\[0\]\.name.* must be of type string/,
  ),
];

const at = String.raw`spec\.rules\[0\]\.allow\.and\[0\]`;
const says = (rest: string): RegExp => new RegExp(at + rest);

const inCriteria: readonly Mistake[] = [
  mistake('an empty criterion', allow('{}'), `rules: [${engineers}]`, says(String.raw`:.* exactly one of accept, `)),
  mistake('a criterion misspelt', allow('{gruops: {has: x}}'), allow('{groups: {has: x}}'), says(':.*one of .*groups')),
  mistake(
    'a criterion in snake_case',
    allow('{http_path: {is: /d}}'),
    allow('{httpPath: {is: /d}}'),
    says(':.*httpPath'),
  ),
  mistake(
    'a criterion of Pomerium',
    allow('{claim/team: {has: x}}'),
    allow('{claim: {path: [team], has: x}}'),
    says(':.*claim'),
  ),
  mistake(
    'two criteria in one',
    allow('{groups: {has: engineering}, email: {endsWith: "@example.com"}}'),
    allow('{groups: {has: engineering}}, {email: {endsWith: "@example.com"}}'),
    says(String.raw`: Too many: 2: must have at most 1 item`),
  ),
  mistake(
    'two criteria in one, and one of them misspelt',
    allow('{groups: {has: engineering}, emial: {endsWith: "@example.com"}}'),
    allow('{groups: {has: engineering}}, {email: {endsWith: "@example.com"}}'),
    says(String.raw`: Too many: 2: must have at most 1 item`),
  ),
  mistake('accept: false', allow('{accept: false}'), allow('{reject: true}'), says(String.raw`\.accept.*"true"`)),
  mistake(
    'authenticatedUser as text',
    allow('{authenticatedUser: "yes"}'),
    allow('{authenticatedUser: true}'),
    says(String.raw`\.authenticatedUser.* must be of type boolean`),
  ),
  mistake(
    'an empty matcher',
    allow('{email: {}}'),
    allow('{email: {is: ana@example.com}}'),
    says(String.raw`\.email:.*one of is, not, in`),
  ),
  mistake(
    'a matcher as text',
    allow('{email: ana@example.com}'),
    allow('{email: {is: ana@example.com}}'),
    says(String.raw`\.email.* must be of type object`),
  ),
  mistake(
    'an operator of a matcher misspelt',
    allow('{email: {endWith: "@x"}}'),
    allow('{email: {endsWith: "@x"}}'),
    says(String.raw`\.email:.*endsWith`),
  ),
  mistake(
    'two operators in one matcher',
    allow('{httpPath: {startsWith: /d, not: /d/1}}'),
    allow('{httpPath: {startsWith: /d}}, {httpPath: {not: /d/1}}'),
    says(String.raw`\.httpPath: Too many: 2: must have at most 1 item`),
  ),
  mistake(
    'two operators in one matcher, and one of them misspelt',
    allow('{groups: {has: engineering, excludes: contractors}}'),
    allow('{groups: {has: engineering}}, {groups: {exclude: contractors}}'),
    says(String.raw`\.groups: Too many: 2: must have at most 1 item`),
  ),
  mistake(
    "an operator of another criterion's",
    allow('{groups: {in: [engineering]}}'),
    allow('{groups: {has: engineering}}'),
    says(String.raw`\.groups:.*one of has, is, exclude`),
  ),
  mistake(
    'in with one text',
    allow('{domain: {in: example.com}}'),
    allow('{domain: {is: example.com}}'),
    says(String.raw`\.domain\.in.* must be of type array`),
  ),
  mistake(
    'in with nothing',
    allow('{domain: {in: []}}'),
    allow('{reject: true}'),
    says(String.raw`\.domain\.in.* at least 1 items`),
  ),
  mistake(
    'an empty text',
    allow('{email: {endsWith: ""}}'),
    allow('{email: {endsWith: "@example.com"}}'),
    says(String.raw`\.email\.endsWith.* at least 1 char`),
  ),
  mistake(
    'a number for a text',
    allow('{groups: {has: 7}}'),
    allow('{groups: {has: "7"}}'),
    says(String.raw`\.groups\.has.* must be of type string`),
  ),
  mistake(
    'a claim without its path',
    allow('{claim: {has: x}}'),
    allow('{claim: {path: [team], has: x}}'),
    says(String.raw`\.claim\.path: Required value`),
  ),
  mistake(
    "a claim's path as text",
    allow('{claim: {path: team, has: x}}'),
    allow('{claim: {path: [team], has: x}}'),
    says(String.raw`\.claim\.path.* must be of type array`),
  ),
  mistake(
    "a claim's path empty",
    allow('{claim: {path: [], has: x}}'),
    allow('{claim: {path: [team], has: x}}'),
    says(String.raw`\.claim\.path.* at least 1 items`),
  ),
  mistake(
    "a claim's path too deep",
    allow('{claim: {path: [a, b, c, d, e, f], has: x}}'),
    allow('{reject: true}'),
    says(String.raw`\.claim\.path.*at most 5 items`),
  ),
  mistake(
    'a claim without an operator',
    allow('{claim: {path: [team]}}'),
    allow('{claim: {path: [team], has: x}}'),
    says(String.raw`\.claim:.*path and exactly one of has, is, exclude`),
  ),
  mistake(
    'a claim with two operators',
    allow('{claim: {path: [team], has: x, exclude: y}}'),
    allow('{claim: {path: [team], has: x}}, {claim: {path: [team], exclude: y}}'),
    says(String.raw`\.claim: Too many: 3: must have at most 2 items`),
  ),
  mistake(
    'a claim with two operators, and one of them misspelt',
    allow('{claim: {path: [team], has: red, exlude: contractors}}'),
    allow('{claim: {path: [team], has: red}}, {claim: {path: [team], exclude: contractors}}'),
    says(String.raw`\.claim: Too many: 3: must have at most 2 items`),
  ),
  mistake(
    'a CIDR with too long a prefix',
    allow('{sourceIp: {is: 10.0.0.0/33}}'),
    allow('{sourceIp: {is: 10.0.0.0/32}}'),
    says(String.raw`\.sourceIp\.is.*should match`),
  ),
  mistake(
    'an address with too large a number',
    allow('{sourceIp: {in: [192.0.2.1, 10.0.0.256]}}'),
    allow('{sourceIp: {in: [192.0.2.1]}}'),
    says(String.raw`\.sourceIp\.in\[1\].*should match`),
  ),
  mistake(
    'a name for an address',
    allow('{sourceIp: {is: office.example.com}}'),
    allow('{reject: true}'),
    says(String.raw`\.sourceIp\.is.*should match`),
  ),
];

const inTests: readonly Mistake[] = [
  mistake(
    'a test without expect',
    `{rules: [${engineers}], tests: [{as: null}]}`,
    `rules: [${engineers}]`,
    /spec\.tests\[0\]\.expect: Required value/,
  ),
  mistake(
    'a test that expects what there is not',
    `{rules: [${engineers}], tests: [{as: null, expect: Denied}]}`,
    `rules: [${engineers}]`,
    /spec\.tests\[0\]\.expect.*"Allow", "Deny", "Login"/,
  ),
  mistake(
    'expect in lower case',
    `{rules: [${engineers}], tests: [{as: null, expect: login}]}`,
    `rules: [${engineers}]`,
    /spec\.tests\[0\]\.expect.*"Allow", "Deny", "Login"/,
  ),
  mistake(
    'who asks, misspelt',
    `{rules: [${engineers}], tests: [{as: {group: [engineering]}, expect: Deny}]}`,
    `rules: [${engineers}]`,
    /unknown field "spec\.tests\[0\]\.as\.group"/,
  ),
  mistake(
    'tests misspelt',
    `{rules: [${engineers}], test: [{as: null, expect: Login}]}`,
    `rules: [${engineers}]`,
    /spec\.\(no field but .*tests/,
  ),
  mistake(
    'a test whose groups are text',
    `{rules: [${engineers}], tests: [{as: {groups: engineering}, expect: Allow}]}`,
    `rules: [${engineers}]`,
    /spec\.tests\[0\]\.as\.groups.* must be of type array/,
  ),
];

export const policyMistakes: readonly Mistake[] = [...atTheTop, ...inRules, ...inCriteria, ...inTests];
