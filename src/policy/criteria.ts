// The vocabulary at work: which file compiles which criterion.
import type { Criterion, CriterionName } from '../model/criteria.ts';
import { compileAccept } from './criteria/accept.ts';
import { compileAcr } from './criteria/acr.ts';
import { compileAuthenticatedUser } from './criteria/authenticated-user.ts';
import { compileAuthenticatedWithin } from './criteria/authenticated-within.ts';
import { compileAuthenticationMethod } from './criteria/authentication-method.ts';
import { compileCelCriterion } from './criteria/cel.ts';
import { compileClaim } from './criteria/claim.ts';
import { compileClientCertificate } from './criteria/client-certificate.ts';
import { compileCorsPreflight } from './criteria/cors-preflight.ts';
import { compileDate } from './criteria/date.ts';
import { compileDayOfWeek } from './criteria/day-of-week.ts';
import { compileDomain } from './criteria/domain.ts';
import { compileEmail } from './criteria/email.ts';
import { compileGroups } from './criteria/groups.ts';
import { compileHeader } from './criteria/header.ts';
import { compileHttpMethod } from './criteria/http-method.ts';
import { compileHttpPath } from './criteria/http-path.ts';
import { compileInvalidClientCertificate } from './criteria/invalid-client-certificate.ts';
import { compileQuery } from './criteria/query.ts';
import { compileReject } from './criteria/reject.ts';
import { compileServiceAccount } from './criteria/service-account.ts';
import { compileSessionAge } from './criteria/session-age.ts';
import { compileSourceIp } from './criteria/source-ip.ts';
import { compileTimeOfDay } from './criteria/time-of-day.ts';
import { compileUser } from './criteria/user.ts';
import type { Compiling, Judge } from './truth.ts';

type Compilers = {
  readonly [Name in CriterionName]: (value: NonNullable<Criterion[Name]>, compiling: Compiling) => Judge | undefined;
};

const compilers: Compilers = {
  accept: compileAccept,
  reject: compileReject,
  authenticatedUser: compileAuthenticatedUser,
  user: compileUser,
  email: compileEmail,
  domain: compileDomain,
  groups: compileGroups,
  claim: compileClaim,
  serviceAccount: compileServiceAccount,
  acr: compileAcr,
  authenticationMethod: compileAuthenticationMethod,
  authenticatedWithin: compileAuthenticatedWithin,
  sessionAge: compileSessionAge,
  httpMethod: compileHttpMethod,
  httpPath: compileHttpPath,
  header: compileHeader,
  query: compileQuery,
  corsPreflight: compileCorsPreflight,
  sourceIp: compileSourceIp,
  timeOfDay: compileTimeOfDay,
  dayOfWeek: compileDayOfWeek,
  date: compileDate,
  clientCertificate: compileClientCertificate,
  invalidClientCertificate: compileInvalidClientCertificate,
  cel: compileCelCriterion,
};

function compileNamed<Name extends CriterionName>(name: Name, value: Criterion[Name], compiling: Compiling) {
  return value === undefined ? undefined : compilers[name](value, compiling);
}

/** The one criterion that it holds; undefined where it holds none, several, or one that this version does not know. */
export function criterionName(criterion: Criterion): CriterionName | undefined {
  const [name, ...more] = Object.keys(criterion);
  return name === undefined || more.length > 0 || !isCriterionName(name) ? undefined : name;
}

function isCriterionName(name: string): name is CriterionName {
  return Object.hasOwn(compilers, name);
}

/** Undefined: not exactly one criterion that this version understands. Whoever holds such a policy must refuse. */
export function compileCriterion(criterion: Criterion, compiling: Compiling): Judge | undefined {
  const name = criterionName(criterion);
  return name && compileNamed(name, criterion[name], compiling);
}
