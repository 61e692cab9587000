// An explanation for people: verdict first, then the route and what lost to it, then each policy down to what its criteria saw.
import { describeDiagnostic } from './diagnostics.ts';
import { inline, labelled, printable, short, wrap } from './layout.ts';
import type { CriterionTrace, OperatorTrace, RuleTrace } from '../model/verdict.ts';
import type { ExplainAnswer } from '../review/answer.ts';
import { listed } from '../review/words.ts';

type Shown<Field extends 'policies' | 'neighbours'> = ExplainAnswer[Field][number];

export function explainText(answer: ExplainAnswer): string {
  const { verdict, trial, why, route, neighbours, policies, faults } = answer;
  const said =
    trial === undefined || trial === verdict ? verdict : `${verdict} (${trial}, were everything in Audit enforced)`;
  const parts = [
    askedLines(answer),
    [...labelled('Verdict', [said]), ...labelled('', why)],
    [
      ...(route === null ? [] : labelled('Route', routeLines(route))),
      ...labelled(
        'Not',
        neighbours.map((one) => neighbourLine(one)),
      ),
    ],
    ...policies.map(policyLines),
    labelled(
      'At fault',
      faults.map((one) => describeDiagnostic(one)),
    ),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => line.split('\n').map(printable).join('\n')).join('\n'))
    .join('\n\n');
}

function askedLines({ asked, requestId }: ExplainAnswer): readonly string[] {
  if (asked === undefined) return [];
  const { method, host, path, from, at, as } = asked;
  return [
    ...labelled('Asked', [`${method} ${host}${path}`, `from ${from} at ${at}`]),
    ...labelled('By', [askerOf(as)]),
    ...(requestId === undefined ? [] : labelled('Request', [`${requestId}, by the policies of then`])),
  ];
}

function askerOf(as: NonNullable<ExplainAnswer['asked']>['as']): string {
  if (as === undefined) return 'nobody who is signed in';
  const { user, email, serviceAccount, groups } = as;
  if (serviceAccount !== undefined) return `the workload ${serviceAccount}`;
  return `${email ?? user}, ${groups.length === 0 ? 'in no group' : `in ${short(groups.join(', '))}`}`;
}

function routeLines({
  ingress,
  host,
  path,
  match,
  providers,
  workloads,
  upstream,
}: NonNullable<ExplainAnswer['route']>) {
  const people = providers.length === 0 ? 'nobody can sign in' : `people sign in at ${listed(providers)}`;
  return [
    `${host}${path} (${match}) of Ingress ${ingress}`,
    `to ${upstream ?? 'no application'}; ${people}${workloads === true ? ', and workloads bring their own tokens' : ''}`,
  ];
}

function neighbourLine({ route, ingress, because }: Shown<'neighbours'>): string {
  if (route === undefined) return `${ingress ?? ''}: ${because}`;
  return `${route.host}${route.path} (${route.match}) of Ingress ${route.ingress}: ${because}`;
}

function policyLines({ policy, mode, attachment, because, broken, rules, sugarFor }: Shown<'policies'>) {
  const how = [attachment, ...(mode === 'Audit' ? ['in Audit, without effect'] : [])].join(', ');
  return [
    wrap(`${policy} (${how})${because === undefined ? '' : `: ${because}`}`, 4),
    ...(sugarFor === undefined ? [] : [wrap(`  is short for a Policy with rules: ${inline(sugarFor)}`, 4)]),
    ...(broken === undefined ? [] : [wrap(`  is broken, and denies: ${broken}`, 4)]),
    ...rules.flatMap((rule) => ruleLines(rule, mode)),
  ];
}

function ruleLines({ path, name, mode, action, result, operators }: RuleTrace, policyMode: 'Enforce' | 'Audit') {
  const title = name === undefined ? action : `${action} “${name}”`;
  const audit = mode === 'Audit' && policyMode !== 'Audit' ? ' (in Audit)' : '';
  return [`  ${mark(result)} ${title}${audit}  ${path}`, ...operators.flatMap(operatorLines)];
}

function operatorLines({ operator, result, criteria }: OperatorTrace): readonly string[] {
  return [`      ${mark(result)} ${operator}`, ...criteria.map(criterionLine)];
}

function criterionLine({ criterion, wanted, seen, result, reason }: CriterionTrace): string {
  const asked = wanted === true ? criterion : `${criterion}: ${inline(wanted)}`;
  const saw = seen === undefined ? '' : `, saw ${short(inline(seen), 200)}`;
  return wrap(`          ${mark(result)} ${asked}${saw} (${reason})`, 14);
}

function mark(result: boolean): string {
  return result ? '✓' : '✗';
}
