// What a decision costs: `make bench-policy`. Prints a table, which bench/policy.md keeps, and says which aim was missed.
import { cpus } from 'node:os';
import type { Access, AttachedPolicy, Rule } from '../src/model/policy.ts';
import type { Facts } from '../src/model/verdict.ts';
import { evaluate } from '../src/policy/evaluate.ts';
import { explain } from '../src/policy/explain.ts';
import { factsOfTest } from '../src/policy/test-facts.ts';

interface Case {
  readonly name: string;
  readonly access: Access;
  readonly facts: Facts;
  /** Nanoseconds a decision that it must stay under; absent: told for information. */
  readonly mustNs?: number;
  readonly run?: (access: Access, facts: Facts) => unknown;
}

const own = (rules: readonly Rule[], name = 'p', mode: 'Enforce' | 'Audit' = 'Enforce'): AttachedPolicy => ({
  policy: { name, mode, rules },
  attachment: 'Own',
});
const accessOf = (...policies: AttachedPolicy[]): Access => ({ policies, defaultAccess: 'Deny' });

const ana = factsOfTest({
  as: { email: 'ana@example.com', groups: ['staff', 'engineering'], claims: { team: ['red', 'blue'] } },
  request: { path: '/d/1/panel', method: 'GET', ip: '10.1.2.3', headers: { 'X-Env': 'test' }, query: { a: '1' } },
});

/** The one of product.md: who may enter, and nobody deletes at night. */
const typical: readonly Rule[] = [
  {
    name: 'engineering',
    allow: { and: [{ groups: { has: 'engineering' } }, { email: { endsWith: '@example.com' } }] },
  },
  {
    name: 'nobody deletes at night',
    deny: {
      and: [
        { httpMethod: { is: 'DELETE' } },
        { timeOfDay: { after: '20:00', before: '06:00', timezone: 'Europe/Berlin' } },
      ],
    },
  },
];

const hundred: readonly Rule[] = Array.from({ length: 100 }, (_, index): Rule => {
  const criteria = [
    { groups: { has: `team ${index}` } },
    { httpPath: { startsWith: `/team/${index}/` } },
    { claim: { path: ['team'], has: `t${index}` } },
  ];
  return index % 10 === 9 ? { deny: { and: criteria } } : { allow: { and: criteria } };
});

const manyGroups = Array.from({ length: 10_000 }, (_, index) => `group ${index}`);
const inMany = factsOfTest({ as: { email: 'ana@example.com', groups: manyGroups } });

const cases: readonly Case[] = [
  { name: 'typical policy, allowed', access: accessOf(own(typical)), facts: ana, mustNs: 1_000 },
  {
    name: 'typical policy, nobody signed in',
    access: accessOf(own(typical)),
    facts: factsOfTest({ request: { path: '/d/1/panel' } }),
    mustNs: 1_000,
  },
  { name: '100 rules of 3 criteria, none holds', access: accessOf(own(hundred)), facts: ana, mustNs: 10_000 },
  {
    name: "groups: {has} in a person's 10,000 groups",
    access: accessOf(own([{ allow: { and: [{ groups: { has: 'group 9999' } }] } }])),
    facts: inMany,
    mustNs: 1_000,
  },
  {
    name: '10 policies of the typical sort, one in Audit',
    access: accessOf(
      ...Array.from({ length: 9 }, (_, index) => own(typical, `p${index}`)),
      own(typical, 'trial', 'Audit'),
    ),
    facts: ana,
  },
  {
    name: 'email: {matches} (RE2)',
    access: accessOf(own([{ allow: { and: [{ email: { matches: '[a-z]+@example\\.com' } }] } }])),
    facts: ana,
  },
  {
    name: 'sourceIp in 4 ranges',
    access: accessOf(
      own([
        {
          allow: {
            and: [{ sourceIp: { in: ['192.0.2.0/24', '203.0.113.0/24', '2001:db8::/32', '10.0.0.0/8'] } }],
          },
        },
      ]),
    ),
    facts: ana,
  },
  {
    name: 'cel: request.path.startsWith("/d/") && "engineering" in user.groups',
    access: accessOf(
      own([{ allow: { and: [{ cel: 'request.path.startsWith("/d/") && "engineering" in user.groups' }] } }]),
    ),
    facts: ana,
  },
  { name: 'explain, typical policy', access: accessOf(own(typical)), facts: ana, run: explain },
];

const rounds = 7;

/** The median of some rounds, nanoseconds of CPU time a call: others on the machine do not count. */
function measure({ access, facts, run = evaluate }: Case): { readonly ns: number; readonly bytes: number } {
  const times = run === evaluate ? 200_000 : 20_000;
  const spin = (): void => {
    for (let index = 0; index < times; index += 1) run(access, facts);
  };
  spin();
  const taken = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    spin();
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1000) / times;
  });
  return { ns: taken.toSorted((a, b) => a - b)[rounds >> 1] ?? 0, bytes: allocated(spin) / times };
}

/** What a spin leaves to the garbage collector: needs --expose-gc, and a young generation that holds all of it. */
function allocated(spin: () => void): number {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  spin();
  return Math.max(0, process.memoryUsage().heapUsed - before);
}

console.log(`# What a decision costs\n`);
console.log(
  `\`make bench-policy\`, one core of ${cpus()[0]?.model ?? 'an unknown processor'}, Node.js ${process.version}.\n`,
);
console.log('| case | ns a decision | must | bytes a decision |');
console.log('|---|---|---|---|');
let missed = 0;
for (const one of cases) {
  const { ns, bytes } = measure(one);
  const isMissed = one.mustNs !== undefined && ns > one.mustNs;
  if (isMissed) missed += 1;
  const must = one.mustNs === undefined ? '' : `${one.mustNs}${isMissed ? ' **missed**' : ''}`;
  console.log(`| ${one.name} | ${ns.toFixed(0)} | ${must} | ${bytes.toFixed(1)} |`);
}
process.exitCode = missed > 0 ? 1 : 0;
