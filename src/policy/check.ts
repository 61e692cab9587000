// What a schema cannot say of a policy as a whole: names that stand for nothing, and what an allow rests on.
import type { Criterion, CriterionName } from '../model/criteria.ts';
import type { Diagnostic, ObjectReference } from '../model/diagnostic.ts';
import type { ClusterPolicySpec, PolicySpec } from '../model/policy-kinds.ts';
import { compileCel } from './cel.ts';
import type { CelFact } from './cel.ts';
import { checkCriterion, matchersOf } from './check-criterion.ts';
import { checkTests } from './check-tests.ts';
import { criterionName } from './criteria.ts';
import { fault } from './findings.ts';
import type { Finding } from './findings.ts';
import { invalid } from './issues.ts';
import { comparedIn, criteriaOf } from './placed.ts';
import type { Path, Placed } from './placed.ts';
import { nearest } from './spelling.ts';

type Spec = PolicySpec | ClusterPolicySpec;

/**
 * What cannot be read is an error. A value that can be compared, and never be equal, is a warning where it lets nobody in,
 * and an error where it keeps nobody out.
 */
export function checkSpec(object: ObjectReference, spec: Spec): readonly Diagnostic[] {
  const placed = [...criteriaOf(spec.rules)];
  const names = (spec.dataSets ?? []).map(({ name }) => name);
  const cel = celOf(placed, names);
  const findings = placed.flatMap((one) =>
    [...checkCriterion(one), ...checkCel(cel.get(one.criterion)), ...checkDataSetNames(one.criterion, names)].map(
      (finding) => ({
        ...finding,
        path: [...one.path, ...finding.path],
      }),
    ),
  );
  return [
    ...findings,
    ...checkDataSets(spec, placed, cel),
    ...checkGrounds(spec, cel),
    ...checkTests(
      spec,
      placed.some((one) => asksForTime(one, cel)),
    ),
  ].map(({ severity, path, message, code }) => ({
    ...invalid(object, ['spec', ...path], message),
    severity,
    ...(code && { code }),
  }));
}

const lookups = ['inDataSet', 'notInDataSet', 'hasAnyInDataSet', 'hasNoneInDataSet'];

function dataSetsIn(criterion: Criterion): readonly { readonly path: Path; readonly name: string }[] {
  return matchersOf(criterion).flatMap(({ name, above, matcher }) =>
    comparedIn(name, matcher, lookups).map(({ path, text }) => ({ path: [...above, ...path], name: text })),
  );
}

type Cel = ReturnType<typeof compileCel>;

/** The CEL expressions among the criteria, compiled once. */
function celOf(placed: readonly Placed[], names: readonly string[]): ReadonlyMap<Criterion, Cel> {
  return new Map(
    placed.flatMap(({ criterion }) =>
      criterion.cel === undefined ? [] : [[criterion, compileCel(criterion.cel, names)] as const],
    ),
  );
}

function checkCel(compiled: Cel | undefined): readonly Finding[] {
  if (compiled === undefined || !('mistake' in compiled)) return [];
  const { mistake, offset } = compiled;
  return [fault('error', ['cel'], offset === undefined ? mistake : `at character ${offset + 1}: ${mistake}`)];
}

function reads(compiled: Cel | undefined, ...facts: readonly CelFact[]): boolean {
  return compiled !== undefined && 'reads' in compiled && facts.some((fact) => compiled.reads.has(fact));
}

function checkDataSetNames(criterion: Criterion, names: readonly string[]): readonly Finding[] {
  return dataSetsIn(criterion)
    .filter(({ name }) => !names.includes(name))
    .map(({ path, name }) => {
      const near = nearest(name, names);
      const known = names.length === 0 ? 'spec.dataSets names none' : `spec.dataSets names ${names.join(', ')}`;
      return fault(
        'error',
        path,
        `there is no data set ${name}: ${near === undefined ? known : `did you mean ${near}?`}`,
      );
    });
}

function checkDataSets(
  { dataSets = [] }: Spec,
  placed: readonly Placed[],
  cel: ReadonlyMap<Criterion, Cel>,
): readonly Finding[] {
  const used = new Set([
    ...placed.flatMap(({ criterion }) => dataSetsIn(criterion).map(({ name }) => name)),
    ...cel.values().flatMap((compiled) => ('dataSets' in compiled ? compiled.dataSets : [])),
  ]);
  return dataSets.flatMap(({ name }, index) => {
    const path = ['dataSets', index, 'name'];
    if (dataSets.findIndex((other) => other.name === name) < index) {
      return [fault('error', path, `there are two data sets of the name ${name}`)];
    }
    return used.has(name) ? [] : [fault('warning', path, 'no rule uses this data set')];
  });
}

const person: ReadonlySet<CriterionName> = new Set([
  'authenticatedUser',
  'user',
  'email',
  'domain',
  'groups',
  'claim',
  'serviceAccount',
  'acr',
  'authenticationMethod',
  'authenticatedWithin',
  'sessionAge',
  'clientCertificate',
]);
const claimedByClient: ReadonlySet<CriterionName> = new Set(['sourceIp', 'header', 'query']);

/** An allow that nothing about a person stands behind, and that an address or a header is to keep narrow. */
function checkGrounds({ rules }: Spec, cel: ReadonlyMap<Criterion, Cel>): readonly Finding[] {
  return rules.flatMap(({ allow = {} }, index) =>
    Object.entries(allow).flatMap(([operator, criteria = []]) => {
      const together = operator === 'and' || operator === 'not';
      const groups = together ? [criteria] : criteria.map((one) => [one]);
      return groups.some((group) => restsOnAddress(group, cel))
        ? [fault('warning', ['rules', index, 'allow', operator], restsOn, 'WeakGrounds')]
        : [];
    }),
  );
}

const restsOn =
  'this lets people in without a sign-in, on the word of an address, a header or a query alone: whoever can send that is let in';

function restsOnAddress(criteria: readonly Criterion[], cel: ReadonlyMap<Criterion, Cel>): boolean {
  const names = criteria.map((one) => criterionName(one));
  const provesPerson = criteria.some((one, index) => {
    const name = names[index];
    if (name === undefined || person.has(name)) return true;
    return reads(cel.get(one), 'identity', 'session');
  });
  const isClaimed = (one: Criterion, index: number): boolean => {
    const name = names[index];
    return (name !== undefined && claimedByClient.has(name)) || reads(cel.get(one), 'ip', 'headers', 'query');
  };
  return !provesPerson && criteria.some(isClaimed);
}

function asksForTime({ criterion }: Placed, cel: ReadonlyMap<Criterion, Cel>): boolean {
  const { timeOfDay, dayOfWeek, date } = criterion;
  return [timeOfDay, dayOfWeek, date].some((one) => one !== undefined) || reads(cel.get(criterion), 'time');
}
