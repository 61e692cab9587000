// Makes the reference pages of docs/ from the tables in the code; with --check, says which of them are not current.
import { globSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accessHelp } from '../src/cli/access.ts';
import { checkHelp } from '../src/cli/check.ts';
import { explainHelp } from '../src/cli/explain.ts';
import { sessionsHelp } from '../src/cli/sessions.ts';
import { keysHelp } from '../src/cli/keys.ts';
import { reportHelp } from '../src/cli/report.ts';
import { runFlags, variableOf } from '../src/cli/settings.ts';
import { diagnosticCodes } from '../src/model/diagnostic.ts';
import { createMetrics } from '../src/telemetry.ts';
import { annotationPrefix, annotations, reservedAnnotations } from '../src/translate/annotation-table.ts';
import { foreignVocabularies } from '../src/translate/foreign-annotations.ts';
import type { Counterpart } from '../src/translate/foreign-annotations.ts';
import { code, page, table } from './markdown.ts';
import { policyLanguagePage } from './policy-language.ts';
import { fieldHead, fieldRows, readCrds, schemaAt, specOf } from './schemas.ts';

const root = join(import.meta.dirname, '..');
const directory = join(root, 'docs');

/** What is met in many places of the schemas, and shown once. */
const shapes: readonly { name: string; path: string; about: string; page?: string }[] = [
  { name: 'Rule', path: 'Policy.rules[]', about: 'An allow, a deny, or both; one of them is needed.' },
  {
    name: 'Operators',
    path: 'Policy.rules[].allow',
    about: 'Criteria by operator; at least one is needed. Several in one rule are joined by "or".',
  },
  {
    name: 'Criteria',
    path: 'Policy.rules[].allow.and[]',
    about: '',
    page: 'policy-language.md',
  },
  { name: 'Test', path: 'Policy.tests[]', about: 'A request, and the verdict that this policy alone must give it.' },
  {
    name: 'Label selector',
    path: 'ClusterPolicy.namespaceSelector',
    about: 'As everywhere in Kubernetes; an empty one selects everything.',
  },
  {
    name: 'Secret reference',
    path: 'Sallyport.defaultCertificateSecretRef',
    about: 'A Secret is read only where something refers to it.',
  },
];

/** What a schema cannot say of a kind. */
const notes: Readonly<Record<string, string>> = {
  Sallyport: 'Where sessions live, and what a store needs: [Sessions](sessions.md).',
};

/** How severe each code was in the cases of the tests: `error`, `warning` or both. */
function severitiesSeen(): ReadonlyMap<string, ReadonlySet<string>> {
  // The cases of translate have no files that cannot be read, and those of policy do not name codes.
  const seen = new Map([
    ['ManifestInvalid', new Set(['error'])],
    ['ObjectInvalid', new Set(['warning'])],
    ['NotSupportedYet', new Set(['warning'])],
    // One translation alone cannot tell it.
    ['PolicyDeparted', new Set(['warning'])],
  ]);
  for (const file of globSync('test/translate/*/expected.yaml', { cwd: root })) {
    for (const [, severity = '', found = ''] of readFileSync(join(root, file), 'utf8').matchAll(
      /^\s*- "?(error|warning) ([A-Za-z]+)\b/gm,
    )) {
      seen.set(found, (seen.get(found) ?? new Set()).add(severity));
    }
  }
  return seen;
}

function diagnosticsPage(): string {
  const seen = severitiesSeen();
  const rows = Object.entries(diagnosticCodes).map(([name, meaning]) => [
    code(name),
    [...(seen.get(name) ?? [])].toSorted().join(', '),
    meaning,
  ]);
  return page(
    'Diagnostics',
    'src/model/diagnostic.ts and the cases of test/',
    'One diagnostic is one thing wrong with one object. `sallyport check` prints it with file and line; in a cluster it is a log line, an Event on the Ingress or the object of ours, and a condition in the status of an object of ours. The message names the field, what is wrong, and what would be right.',
    '`error`: something asked for does not happen. `warning`: it happens, but somebody should look. A code is stable; a message is not.',
    table(['Code', 'Severity', 'What it means, and what to do'], rows),
  );
}

function annotationsPage(): string {
  const own = (name: string) => code(`${annotationPrefix}${name}`);
  const rows = Object.entries(annotations).map(([name, { meaning, misread }]) => [
    own(name),
    meaning,
    misread === 'Denies' ? 'everybody is denied' : misread,
  ]);
  const reserved = Object.entries(reservedAnnotations).map(([name, meaning]) => [own(name), meaning]);
  const counterpart = ({ ours = [], note }: Counterpart): string =>
    [...(ours.length === 0 ? [] : [ours.map(code).join(', ')]), ...(note === undefined ? [] : [note])].join(': ');
  const foreign = foreignVocabularies.flatMap(({ controller, prefix, annotations: theirs }) => [
    `## From ${controller}`,
    `What ${code(`${prefix}…`)} is here. On an Ingress of ours such an annotation has no effect, and is a warning.`,
    table(
      [controller, 'Here'],
      Object.entries(theirs).map(([name, one]) => [code(name), counterpart(one)]),
    ),
  ]);
  return page(
    'Annotations',
    'src/translate/annotation-table.ts and src/translate/foreign-annotations.ts',
    'What an Ingress may say about itself. The vocabulary is closed: an unknown annotation under this prefix is reported, and so is a value that cannot be understood. Where ignoring it would let somebody in, or reach or reveal something, that was not meant, the Ingress denies everybody until it is mended; elsewhere it is a warning. What such a value means until then is the last column. A name that looks like a misspelt one counts as that one, misread.',
    table(['Annotation', 'Meaning', 'Misread'], rows),
    '`access` and `allow-*` count together as one policy, in which any of the `allow-*` conditions suffices. Beside `policy`, both must allow. `access` and `allow-*` exclude each other. See [policies](policies.md).',
    'What is about traffic is explained, with examples, in [traffic](traffic.md).',
    '## Kept for what is to come',
    'These names have no effect yet, and are a warning.',
    table(['Annotation', 'Meaning'], reserved),
    ...foreign,
  );
}

function flagsPage(): string {
  type Flag = { readonly value: string; readonly help: string; readonly default?: string };
  const rows = Object.entries(runFlags).map(([name, flag]: [string, Flag]) => [
    code(`--${name} ${flag.value}`),
    code(variableOf(name)),
    flag.default === undefined ? '' : code(flag.default),
    flag.help,
  ]);
  return page(
    'Flags of `sallyport run`',
    'src/cli/',
    'A flag counts before its environment variable, and that before the default. Exit codes: 0 asked to stop, 1 a failure, 2 wrong usage.',
    table(['Flag', 'Variable', 'Default', 'Meaning'], rows),
    '## The other commands',
    ...[checkHelp, explainHelp, accessHelp, reportHelp, sessionsHelp, keysHelp].map(
      (help) => `\`\`\`text\n${help.trim()}\n\`\`\``,
    ),
  );
}

async function metricsPage(): Promise<string> {
  const { registry } = createMetrics();
  const all = await registry.getMetricsAsJSON();
  const own = all.filter(({ name }) => name.startsWith('sallyport_'));
  const rows = own.map(({ name, help, type }) => {
    // prom-client keeps the labels of a metric, and tells them to nobody.
    const metric = registry.getSingleMetric(name);
    const labels = metric !== undefined && 'labelNames' in metric ? (metric.labelNames as readonly string[]) : [];
    return [code(name), String(type), labels.map(code).join(', '), help];
  });
  return page(
    'Metrics',
    'src/telemetry.ts',
    'At `/metrics` of `--probes` and `--admin`, for Prometheus, without a token. No label holds a host, a path or a person, so the page does not grow with use. The values of `outcome` are those of the [access log](troubleshooting.md#the-access-log), those of `reason` and `decision` those of the [decision log](decision-log.md).',
    table(['Metric', 'Type', 'Labels', 'What it counts'], rows),
    `Beside them are ${all.length - own.length} metrics of the process and of Node.js: \`process_*\` and \`nodejs_*\`.`,
  );
}

function objectsPage(): string {
  const crds = readCrds();
  const found = shapes.map(({ path, ...shape }) => ({ ...shape, schema: schemaAt(crds, path) }));
  const kinds = crds.flatMap((crd) => {
    const { names, scope, versions } = crd.spec;
    const spec = specOf(crd);
    if (spec === undefined) return [];
    const description = versions[0]?.schema.openAPIV3Schema.description ?? '';
    const about = `${description} ${scope === 'Cluster' ? 'Cluster-scoped' : 'Namespaced'}; short name \`${names.shortNames.join('`, `')}\`. Fields of \`spec\`:`;
    const note = notes[names.kind];
    return [`## ${names.kind}`, about, table(fieldHead, fieldRows(spec, found)), ...(note === undefined ? [] : [note])];
  });
  const own = found.filter(({ page: elsewhere }) => elsewhere === undefined);
  const parts = own.flatMap(({ name, about, schema }) => [
    `## ${name}`,
    about,
    table(fieldHead, fieldRows(schema, found)),
  ]);
  return page(
    'Objects',
    'crds/, which is made from src/model',
    'The four kinds of `sallyport.dev/v1alpha1`. `kubectl explain policy.spec.rules` says the same. A field without a default is absent unless given.',
    'The `status` of each has three conditions, and `Policy` and `ClusterPolicy` also `routes`, how many routes they govern. `Accepted`: the object itself is sound. `ResolvedRefs`: what it refers to is there and usable. `Programmed`: it is in force; the reason `Unused` says that nothing uses it. A condition that is `False` has a [diagnostic](diagnostics.md) as its reason.',
    ...kinds,
    ...parts,
  );
}

/** The pages as they should be, by file name. */
export async function generateDocs(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['annotations.md', annotationsPage()],
    ['diagnostics.md', diagnosticsPage()],
    ['flags.md', flagsPage()],
    ['metrics.md', await metricsPage()],
    ['objects.md', objectsPage()],
    ['policy-language.md', policyLanguagePage()],
  ]);
}

/** Names the files of a folder that are missing or different. */
export async function staleDocs(folder: string): Promise<string[]> {
  const stale: string[] = [];
  for (const [file, text] of await generateDocs()) {
    const found = await readFile(join(folder, file), 'utf8').catch(() => undefined);
    if (found !== text) stale.push(file);
  }
  return stale;
}

async function main(): Promise<void> {
  if (process.argv.includes('--check')) {
    const stale = await staleDocs(directory);
    for (const file of stale) console.error(`docs/${file} is not current: run bin/node scripts/docs.ts`);
    process.exitCode = stale.length > 0 ? 1 : 0;
    return;
  }
  for (const [file, text] of await generateDocs()) await writeFile(join(directory, file), text);
}

if (import.meta.main) await main();
