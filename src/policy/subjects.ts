// What a criterion looks at: what has to be known, and kept, before it can be judged.
import type { Criterion, CriterionName } from '../model/criteria.ts';
import type { Access } from '../model/policy.ts';
import { compileCel } from './cel.ts';
import type { CelFact } from './cel.ts';
import { criterionName } from './criteria.ts';
import { criteriaOf } from './placed.ts';

export type Subject = CelFact | 'certificate';

const subjects: Readonly<Record<Exclude<CriterionName, 'cel'>, Subject | undefined>> = {
  accept: undefined,
  reject: undefined,
  authenticatedUser: 'identity',
  user: 'identity',
  email: 'identity',
  domain: 'identity',
  groups: 'identity',
  claim: 'identity',
  serviceAccount: 'identity',
  acr: 'identity',
  authenticationMethod: 'identity',
  authenticatedWithin: 'session',
  sessionAge: 'session',
  httpMethod: 'method',
  httpPath: 'path',
  header: 'headers',
  query: 'query',
  corsPreflight: 'headers',
  sourceIp: 'ip',
  timeOfDay: 'time',
  dayOfWeek: 'time',
  date: 'time',
  clientCertificate: 'certificate',
  invalidClientCertificate: 'certificate',
};

const none: ReadonlySet<Subject> = new Set();

export function subjectsOf(criterion: Criterion): ReadonlySet<Subject> {
  const name = criterionName(criterion);
  if (name === undefined) return none;
  if (name === 'cel') return celSubjects(criterion.cel ?? '');
  const subject = subjects[name];
  if (name === 'corsPreflight') return new Set(['headers', 'method']);
  return subject === undefined ? none : new Set([subject]);
}

function celSubjects(expression: string): ReadonlySet<Subject> {
  const compiled = compileCel(expression);
  return 'mistake' in compiled ? none : compiled.reads;
}

/** The headers that a criterion asks for, in lower case; `Any`: which, only a request will tell. */
export function headersOf(criterion: Criterion): readonly string[] | 'Any' {
  if (criterion.header !== undefined) return [String(criterion.header.name).toLowerCase()];
  if (criterion.corsPreflight !== undefined) return ['origin', 'access-control-request-method'];
  return criterion.cel !== undefined && celSubjects(criterion.cel).has('headers') ? 'Any' : [];
}

/** Every criterion of the policies that govern a route, those in Audit included. */
export function criteriaOfAccess({ policies }: Access): readonly Criterion[] {
  return policies.flatMap(({ policy }) => [...criteriaOf(policy.rules)].map(({ criterion }) => criterion));
}
