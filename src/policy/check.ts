// What a schema cannot say of a policy: values that no request could ever meet.
import type { Diagnostic, ObjectReference } from '../model/diagnostic.ts';
import type { ClusterPolicySpec, PolicySpec } from '../model/kinds.ts';
import type { Criterion, StringMatcher } from '../model/policy.ts';
import { isAddress, parseRange } from './criteria.ts';
import { invalid } from './issues.ts';

interface Finding {
  readonly severity: Diagnostic['severity'];
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * An unreadable address is an error. A value that can be compared, and never be equal, is a warning where it lets nobody in,
 * and an error where it keeps nobody out.
 */
export function checkSpec(object: ObjectReference, spec: PolicySpec | ClusterPolicySpec): readonly Diagnostic[] {
  const findings = [...criteriaOf(spec)].flatMap(({ path, refuses, criterion }) =>
    checkCriterion(criterion, refuses).map((finding) => ({ ...finding, path: [...path, ...finding.path] })),
  );
  return [...findings, ...checkTests(spec)].map(({ severity, path, message }) => ({
    ...invalid(object, ['spec', ...path], message),
    severity,
  }));
}

interface Placed {
  readonly path: readonly (string | number)[];
  /** Whether somebody is kept out where the criterion holds: in a deny, or inverted in an allow. */
  readonly refuses: boolean;
  readonly criterion: Criterion;
}

function* criteriaOf({ rules }: PolicySpec | ClusterPolicySpec): Generator<Placed> {
  for (const [index, rule] of rules.entries()) {
    for (const action of ['allow', 'deny'] as const) {
      for (const [operator, criteria = []] of Object.entries(rule[action] ?? {})) {
        const refuses = (action === 'deny') !== (operator === 'not' || operator === 'nor');
        for (const [place, criterion] of criteria.entries()) {
          yield { path: ['rules', index, action, operator, place], refuses, criterion };
        }
      }
    }
  }
}

function checkCriterion(
  { sourceIp, httpMethod, httpPath, domain, email }: Criterion,
  refuses: boolean,
): readonly Finding[] {
  const unmet = ({ path, negative }: Compared, message: string): Finding =>
    fault(refuses === negative ? 'warning' : 'error', path, message);
  return [
    ...valuesOf('sourceIp', sourceIp)
      .filter(({ text }) => parseRange(text) === undefined)
      .map(({ path }) => fault('error', path, 'an address or a CIDR is wanted, such as 192.0.2.7 or 10.0.0.0/8')),
    ...valuesOf('httpMethod', httpMethod)
      .filter(({ text }) => text !== text.toUpperCase())
      .map((value) => unmet(value, 'no request has such a method: methods are upper-case, and case counts')),
    ...valuesOf('httpPath', httpPath, ['is', 'not', 'in', 'notIn', 'startsWith'])
      .filter(({ text }) => !text.startsWith('/'))
      .map((value) => unmet(value, 'no request has such a path: paths begin with /')),
    ...valuesOf('domain', domain)
      .filter(({ text }) => text.includes('@') || text !== text.toLowerCase())
      .map((value) => unmet(value, 'no address has such a domain: it is lower-case and without the @')),
    ...valuesOf('email', email)
      .filter(({ text }) => /@.*[A-Z]/.test(text))
      .map((value) => unmet(value, 'no address is like this: what follows the @ is lower-case')),
  ];
}

function fault(severity: Diagnostic['severity'], path: Finding['path'], message: string): Finding {
  return { severity, path, message };
}

interface Compared {
  readonly path: readonly (string | number)[];
  readonly text: string;
  /** Whether it is met by what differs from the text. */
  readonly negative: boolean;
}

/** Every text that a matcher compares with, and where it stands; of the operators named, or of all. */
function valuesOf(name: string, matcher: StringMatcher | undefined, only?: readonly string[]): readonly Compared[] {
  return Object.entries(matcher ?? {})
    .filter(([operator]) => only === undefined || only.includes(operator))
    .flatMap(([operator, value = []]) => {
      const negative = operator === 'not' || operator === 'notIn';
      return typeof value === 'string'
        ? [{ path: [name, operator], text: value, negative }]
        : value.map((text, index) => ({ path: [name, operator, index], text, negative }));
    });
}

/** A test that asks what no request can ask would pass or fail for the wrong reason. */
function checkTests({ tests }: PolicySpec | ClusterPolicySpec): readonly Finding[] {
  return (tests ?? []).flatMap(({ request }, index) => {
    const at = ['tests', index, 'request'];
    const badIp = request?.ip !== undefined && !isAddress(request.ip);
    const badPath = request?.path !== undefined && !/^\/[^?#]*$/.test(request.path);
    return [
      ...(badIp ? [fault('error', [...at, 'ip'], 'an address is wanted, such as 192.0.2.1')] : []),
      ...(badPath
        ? [fault('error', [...at, 'path'], 'a path that begins with / is wanted; what follows a ? belongs into query')]
        : []),
    ];
  });
}
