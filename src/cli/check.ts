// `sallyport check DIR`: what `run` would serve from a folder, and what it would complain about, without serving anything.
import { parseArgs } from 'node:util';
import { folderInventory } from '../inventory/folder.ts';
import type { Inventory } from '../model/objects.ts';
import { createLogger } from '../telemetry.ts';
import { translate } from '../translate/translate.ts';
import type { Translation } from '../translate/translate.ts';
import { describeDiagnostic } from './diagnostics.ts';
import { UsageError } from './settings.ts';
import type { Route } from '../model/route.ts';

export const checkHelp = `sallyport check DIR: what a folder of manifests serves, and what is wrong with it

  --class NAME          The IngressClass to look at. [sallyport]
  --namespace NAME      Where the installation's own Secrets live. [sallyport-system]
  -o, --output text|json

Exit code: 0 nothing wrong, 1 an error found, 2 wrong usage.
`;

/** Prints routes and mistakes; returns the exit code. @throws {UsageError} */
export async function check(args: readonly string[], print: (text: string) => void): Promise<number> {
  const { directory, output, className, namespace } = readArgs(args);
  let inventory: Inventory | undefined;
  const folder = folderInventory({
    directory,
    log: createLogger('silent'),
    watch: false,
    onChange: (next) => (inventory = next),
  });
  // An absent folder is a wrong word on the command line, not a folder with a mistake in it.
  await folder.start().catch((cause: unknown) => {
    throw new UsageError(cause instanceof Error ? cause.message : `${directory} cannot be read`);
  });
  await folder.stop();
  if (inventory === undefined) throw new UsageError(`${directory}: this is not a folder that can be read`);
  const options = { className, installationNamespace: namespace, fromFolder: true };
  const translation = translate(inventory, options, Date.now());
  const problems = folder.problems();
  const errors = problems.length + translation.diagnostics.filter(({ severity }) => severity === 'error').length;
  if (output === 'json') {
    const located = translation.diagnostics.map((one) => ({ ...one, ...folder.locate?.(one.object, one.path) }));
    const unread = problems.map(({ file, line, message }) => ({
      code: 'ManifestInvalid',
      severity: 'error',
      file,
      line,
      message,
    }));
    print(JSON.stringify({ routes: routeRows(translation), diagnostics: [...unread, ...located] }, null, 2));
  } else {
    print(routeTable(translation));
    for (const { file, line, message } of problems) print(`${file}:${line}: error: ${message} (ManifestInvalid)`);
    for (const one of translation.diagnostics) print(describeDiagnostic(one, folder.locate));
    const warnings = translation.diagnostics.length + problems.length - errors;
    print([count(translation.hosts.size, 'host'), count(errors, 'error'), count(warnings, 'warning')].join(', '));
  }
  return errors > 0 ? 1 : 0;
}

function readArgs(args: readonly string[]) {
  const options = {
    class: { type: 'string', default: 'sallyport' },
    namespace: { type: 'string', default: 'sallyport-system' },
    output: { type: 'string', short: 'o', default: 'text' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [directory, ...more] = positionals;
    if (directory === undefined || more.length > 0)
      throw new UsageError('check: one folder is wanted: sallyport check DIR');
    if (values.output !== 'text' && values.output !== 'json') throw new UsageError('check: -o is text or json');
    return { directory, output: values.output, className: values.class, namespace: values.namespace };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`check: ${error instanceof Error ? error.message : 'the flags cannot be read'}`);
  }
}

function routeRows({ hosts }: Translation) {
  return [...hosts.values()].flatMap(({ host, routes }) =>
    routes.map((route) => ({
      host: host === '' ? '*' : host,
      path: `${route.path}${route.match === 'Exact' ? ' (exact)' : ''}`,
      access: describeAccess(route),
      upstream:
        route.upstream === undefined
          ? 'none'
          : `${route.upstream.name} (${count(route.upstream.endpoints.length, 'endpoint')})`,
      ingress: `${route.ingress.namespace}/${route.ingress.name}`,
    })),
  );
}

function describeAccess({ denied, access }: Route): string {
  if (denied !== undefined) return `denied: ${denied}`;
  if (access.policies.length === 0) return `default: ${access.defaultAccess}`;
  return access.policies
    .map(({ policy, attachment }) => {
      const state = policy.broken === undefined ? policy.mode : 'broken';
      return state === 'Enforce' && attachment === 'Own' ? policy.name : `${policy.name} (${attachment}, ${state})`;
    })
    .join(' + ');
}

function routeTable(translation: Translation): string {
  const rows = routeRows(translation).map((row) => [row.host, row.path, row.ingress, row.upstream, row.access]);
  const table = [['HOST', 'PATH', 'INGRESS', 'UPSTREAM', 'ACCESS'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
