// `sallyport check DIR`: what `run` would serve from a folder, and what it would complain about, without serving anything.
import { parseArgs } from 'node:util';
import { folderInventory } from '../inventory/folder.ts';
import type { Inventory } from '../model/objects.ts';
import { createLogger } from '../telemetry.ts';
import { translate } from '../translate/translate.ts';
import { describeDiagnostic } from './diagnostics.ts';
import { describeReplay, replayDecisions } from './replay.ts';
import { listRoutes, routesText } from './routes.ts';
import { UsageError } from './settings.ts';
import { count } from './tally.ts';

export const checkHelp = `sallyport check DIR: what a folder of manifests serves, and what is wrong with it

  --class NAME          The IngressClass to look at. [sallyport]
  --namespace NAME      Where the installation's own Secrets live. [sallyport-system]
  -o, --output text|json
  --replay FILE|-       A decision log: which of its decisions would change under the policies of this folder.
  --fail-on-change      With --replay: a decision that would change counts as an error.

Exit code: 0 nothing wrong, 1 an error found, 2 wrong usage. What a replay finds changes it only with --fail-on-change.
`;

/** Prints routes and mistakes; returns the exit code. @throws {UsageError} */
export async function check(args: readonly string[], print: (text: string) => void): Promise<number> {
  const { directory, output, className, namespace, log, failOnChange } = readArgs(args);
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
  const replay = log === undefined ? undefined : await replayDecisions(log, translation.hosts);
  const routes = listRoutes(translation.hosts);
  if (output === 'json') {
    const located = translation.diagnostics.map((one) => ({ ...one, ...folder.locate?.(one.object, one.path) }));
    const unread = problems.map(({ file, line, message }) => ({
      code: 'ManifestInvalid',
      severity: 'error',
      file,
      line,
      message,
    }));
    print(JSON.stringify({ routes, diagnostics: [...unread, ...located], replay }, null, 2));
  } else {
    print(routesText(routes));
    for (const { file, line, message } of problems) print(`${file}:${line}: error: ${message} (ManifestInvalid)`);
    for (const one of translation.diagnostics) print(describeDiagnostic(one, folder.locate));
    const warnings = translation.diagnostics.length + problems.length - errors;
    print([count(translation.hosts.size, 'host'), count(errors, 'error'), count(warnings, 'warning')].join(', '));
    if (replay !== undefined) print(`\n${describeReplay(replay)}`);
  }
  const hasChanged = failOnChange && replay !== undefined && replay.changed > 0;
  return errors > 0 || hasChanged ? 1 : 0;
}

function readArgs(args: readonly string[]) {
  const options = {
    class: { type: 'string', default: 'sallyport' },
    namespace: { type: 'string', default: 'sallyport-system' },
    output: { type: 'string', short: 'o', default: 'text' },
    replay: { type: 'string' },
    'fail-on-change': { type: 'boolean', default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [directory, ...more] = positionals;
    if (directory === undefined || more.length > 0)
      throw new UsageError('check: one folder is wanted: sallyport check DIR');
    if (values.output !== 'text' && values.output !== 'json') throw new UsageError('check: -o is text or json');
    const { class: className, namespace, replay: log, output, 'fail-on-change': failOnChange } = values;
    if (failOnChange && log === undefined) {
      throw new UsageError('check: --fail-on-change looks at what --replay FILE finds; give both');
    }
    return { directory, output, className, namespace, log, failOnChange };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`check: ${error instanceof Error ? error.message : 'the flags cannot be read'}`);
  }
}
