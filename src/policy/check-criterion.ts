// What a schema cannot say of one criterion: values that no request could ever meet, and facts that cannot be known.
import type { Criterion, CriterionName } from '../model/criteria.ts';
import { parseRange } from './address.ts';
import { fault } from './findings.ts';
import type { Finding } from './findings.ts';
import { compilePattern } from './pattern.ts';
import { comparedIn } from './placed.ts';
import type { Compared, Path, Placed } from './placed.ts';
import { clockMs, isTimezone, momentOf } from './wall-clock.ts';

export function checkCriterion({ criterion, refuses }: Placed): readonly Finding[] {
  const { sourceIp, httpMethod, httpPath, domain, email, serviceAccount } = criterion;
  const unmet = ({ path, negative }: Compared, message: string): Finding =>
    fault(refuses === negative ? 'warning' : 'error', path, message);
  return [
    ...comparedIn('sourceIp', sourceIp)
      .filter(({ text }) => parseRange(text) === undefined)
      .map(({ path }) => fault('error', path, 'an address or a CIDR is wanted, such as 192.0.2.7 or 10.0.0.0/8')),
    ...comparedIn('httpMethod', httpMethod, literal)
      .filter(({ text }) => text !== text.toUpperCase())
      .map((value) => unmet(value, 'no request has such a method: methods are upper-case, and case counts')),
    ...comparedIn('httpPath', httpPath, ['is', 'not', 'in', 'notIn', 'startsWith'])
      .filter(({ text }) => !text.startsWith('/'))
      .map((value) => unmet(value, 'no request has such a path: paths begin with /')),
    ...comparedIn('domain', domain, literal)
      .filter(({ text }) => text.includes('@') || text !== text.toLowerCase())
      .map((value) => unmet(value, 'no address has such a domain: it is lower-case and without the @')),
    ...comparedIn('email', email, literal)
      .filter(({ text }) => /@.*[A-Z]/.test(text))
      .map((value) => unmet(value, 'no address is like this: what follows the @ is lower-case')),
    ...comparedIn('serviceAccount', serviceAccount, ['is', 'not', 'in', 'notIn'])
      .filter(({ text }) => !/^[^/]+\/[^/]+$/.test(text))
      .map((value) => unmet(value, 'no workload is named like this: namespace/name is wanted')),
    ...checkPatterns(criterion),
    ...checkTimes(criterion, refuses),
    ...checkSupport(criterion),
  ];
}

const literal = ['is', 'not', 'in', 'notIn', 'startsWith', 'endsWith', 'contains'];

/** Every matcher of a criterion, with the path to what holds it. */
export function matchersOf(
  criterion: Criterion,
): readonly { readonly name: string; readonly above: Path; readonly matcher: object }[] {
  return Object.entries(criterion).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value !== 'object' || value === null) return [];
    if (name !== 'clientCertificate') return [{ name, above: [], matcher: value }];
    return Object.entries(value).flatMap(([field, matcher]: [string, unknown]) =>
      typeof matcher === 'object' && matcher !== null && !Array.isArray(matcher)
        ? [{ name: field, above: [name], matcher }]
        : [],
    );
  });
}

function checkPatterns(criterion: Criterion): readonly Finding[] {
  return matchersOf(criterion).flatMap(({ name, above, matcher }) =>
    comparedIn(name, matcher, ['matches']).flatMap(({ path, text }) => {
      const compiled = compilePattern(text);
      return 'mistake' in compiled ? [fault('error', [...above, ...path], compiled.mistake)] : [];
    }),
  );
}

function checkTimes({ timeOfDay, dayOfWeek, date }: Criterion, refuses: boolean): readonly Finding[] {
  const zones = Object.entries({ timeOfDay, dayOfWeek, date }).flatMap(([name, value]) =>
    value === undefined || isTimezone(value.timezone)
      ? []
      : [fault('error', [name, 'timezone'], 'there is no such time zone; a name such as Europe/Berlin is wanted')],
  );
  const days = (['after', 'before'] as const).flatMap((side) => {
    const text = date?.[side];
    if (text === undefined || momentOf(text, 'UTC') !== undefined) return [];
    return [fault('error', ['date', side], 'there is no such day')];
  });
  const { after = '00:00', before } = timeOfDay ?? {};
  const isNever = before !== undefined && clockMs(after) === clockMs(before);
  const never = fault(
    refuses ? 'error' : 'warning',
    ['timeOfDay'],
    'no time is after and before the same, and none before 00:00: it never holds',
  );
  return [...zones, ...days, ...(isNever ? [never] : [])];
}

/** Facts that this version cannot know: the criterion is judged, and what comes out is known beforehand. */
function checkSupport({ clientCertificate, invalidClientCertificate }: Criterion): readonly Finding[] {
  const warn = (name: CriterionName, message: string) => fault('warning', [name], message, 'NotSupportedYet');
  return [
    ...(clientCertificate
      ? [warn('clientCertificate', 'no listener asks for client certificates in this version: it holds for nobody')]
      : []),
    ...(invalidClientCertificate
      ? [
          warn(
            'invalidClientCertificate',
            'no listener asks for client certificates in this version: it holds for everybody',
          ),
        ]
      : []),
  ];
}
