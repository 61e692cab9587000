// Who may open what, for people: a table for a person, and a paragraph for each route.
import { columns, printable, wrap } from './layout.ts';
import type { Opening, Reach, ShownRule } from '../review/answer.ts';

const subjects: Readonly<Record<Reach['dependsOn'][number], string>> = {
  identity: 'who it is',
  session: 'how long ago they signed in',
  headers: 'the headers',
  query: 'the query',
  ip: "the client's address",
  path: 'the path below',
  method: 'the method',
  host: 'the host',
  time: 'the time',
  data: 'the data sets',
  certificate: 'the client certificate',
};

export function reachText(reach: readonly Reach[]): string {
  const rows = reach.map(({ route, verdict, dependsOn, atItsPath, note }) => [
    verdict,
    `${route.host}${route.path}`,
    route.match,
    route.ingress,
    [
      ...(dependsOn.length === 0 ? [] : [`on ${listed(dependsOn.map((subject) => subjects[subject]))}`]),
      ...(atItsPath === undefined ? [] : [`GET ${route.path}: ${atItsPath}`]),
      ...(note === undefined ? [] : [note]),
    ].join('; '),
  ]);
  return columns([['VERDICT', 'ROUTE', 'MATCH', 'INGRESS', ''], ...rows])
    .map(printable)
    .join('\n');
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

export function openingsText(openings: readonly Opening[]): string {
  return openings.map((opening) => openingLines(opening).map(printable).join('\n')).join('\n\n');
}

function openingLines(opening: Opening): readonly string[] {
  const { route, rules } = opening;
  const enforced = rules.filter(({ mode }) => mode === 'Enforce');
  const allowing = enforced.filter(({ action }) => action === 'allow');
  const count = new Set(allowing.map(({ policy }) => policy)).size;
  const nobody = whyNobody(opening);
  return [
    `${route.host}${route.path} (${route.match}) of Ingress ${route.ingress}`,
    ...(nobody === undefined ? [] : wrap(`  Nobody may open it: ${nobody}.`, 4).split('\n')),
    ...(nobody === undefined && opening.byDefault === 'Authenticated'
      ? ['  Anybody signed in may open it: the default access says so.']
      : []),
    ...section(count > 1 ? 'Whom all of these policies let in:' : 'May open it:', nobody === undefined ? allowing : []),
    ...section(
      'Refused, whatever allows them:',
      enforced.filter(({ action }) => action === 'deny'),
    ),
    ...section(
      'In Audit, without effect:',
      rules.filter(({ mode }) => mode === 'Audit'),
    ),
  ];
}

function whyNobody({ route, rules, broken, byDefault }: Opening): string | undefined {
  if (route.denied !== undefined) return route.denied;
  const [first] = broken;
  if (first !== undefined) return `${first.policy} is broken: ${first.why}`;
  if (byDefault === 'Authenticated' || rules.some(({ grants }) => grants)) return undefined;
  return 'no enforced policy lets anybody in';
}

function section(title: string, rules: readonly ShownRule[]): readonly string[] {
  if (rules.length === 0) return [];
  return [
    `  ${title}`,
    ...Map.groupBy(rules, ({ policy }) => policy)
      .entries()
      .flatMap(([policy, own]) => [policyLine(policy, own[0]), ...own.flatMap(ruleLines)]),
  ];
}

function policyLine(policy: string, rule: ShownRule | undefined): string {
  const how = rule?.attachment ?? '';
  return `    ${policy} (${how}${rule?.because === undefined ? '' : `: ${rule.because}`})`;
}

function ruleLines({ rule, who, path, action, mode }: ShownRule): readonly string[] {
  const title = rule === undefined ? path : `${mode === 'Audit' ? `${action} ` : ''}“${rule}”`;
  return wrap(`      ${title}: ${who}`, 8).split('\n');
}
