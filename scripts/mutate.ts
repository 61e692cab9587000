// Changes one comparison of the policy engine at a time, and lists which test notices: test/policy/mutants.md. See `make mutate`.
import { spawn } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { code, table } from './markdown.ts';
import { mutantsOf } from './mutants.ts';
import type { Mutant } from './mutants.ts';

const root = join(import.meta.dirname, '..');
const mutated =
  'src/policy/{criteria/*,text,list,address,wall-clock,data-set,truth,compile,decide,evaluate,step-up,workload}.ts';
const tests = ['criteria', 'policy', 'evaluate', 'parse', 'seen', 'step-up', 'unknown-groups'].map(
  (name) => `${name}.test.ts`,
);

/** Runs at once what a test file has to say, and throws at the first test that fails. */
const shim = `data:text/javascript,
  export const describe = (name, body) => body();
  export const test = (name, body) => { try { body(); } catch { throw new Error('noticed: ' + name); } };`;

/** The tests run in this process, on the engine with a mutant in it: `fates` has the first test to notice, or nothing. */
async function tryMutants(file: string, from: number): Promise<void> {
  let mutant: Mutant | undefined;
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'node:test') return { url: shim, shortCircuit: true };
      const found = next(specifier, context);
      const [, version] = /(\?mutant=-?\d+)$/.exec(context.parentURL ?? '') ?? [];
      const isOurs = version !== undefined && /\/(src|test)\/policy\//.test(found.url);
      return isOurs ? { ...found, url: found.url + version } : found;
    },
    load(url, context, next) {
      const isMutated = mutant !== undefined && url.startsWith(`${pathToFileURL(join(root, mutant.file)).href}?`);
      return isMutated
        ? { format: 'module-typescript', source: mutant?.source, shortCircuit: true }
        : next(url, context);
    },
  });
  const mutants = [undefined, ...mutantsOf(file)];
  for (let at = from; at < mutants.length; at += 1) {
    mutant = mutants[at];
    process.stdout.write(`${JSON.stringify(await noticedBy(at))}\n`);
  }
}

async function noticedBy(version: number): Promise<string | null> {
  for (const name of tests) {
    try {
      await import(`${pathToFileURL(join(root, 'test/policy', name)).href}?mutant=${version}`);
    } catch (error) {
      const [, test] = /^noticed: ([^]*)$/.exec(error instanceof Error ? error.message : '') ?? [];
      return `${name}: ${test ?? 'it cannot be loaded'}`;
    }
  }
  return null;
}

/** The fate of each mutant of a file, in a process of its own; one that ends it, or does not end, is noticed too. */
async function fatesOf(file: string): Promise<readonly (string | null)[]> {
  const fates: (string | null)[] = [];
  const count = mutantsOf(file).length + 1;
  while (fates.length < count) {
    const args = [join(import.meta.dirname, 'mutate.ts'), file, String(fates.length)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 300_000 });
    const lines: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => lines.push(chunk));
    await new Promise((resolve) => child.once('close', resolve));
    const told = Buffer.concat(lines).toString().split('\n').slice(0, -1);
    fates.push(...told.map((line) => JSON.parse(line) as string | null));
    if (fates.length < count) fates.push('it does not end');
  }
  const [sound = null, ...rest] = fates;
  if (sound !== null) throw new Error(`without any mutation a test fails: ${sound}`);
  return rest;
}

async function main(): Promise<void> {
  const files = globSync(mutated, { cwd: root }).toSorted();
  const equivalent = JSON.parse(readFileSync(join(root, 'test/policy/mutants.json'), 'utf8')) as Record<string, string>;
  const fates = new Map<string, readonly (string | null)[]>();
  const waiting = files.values();
  const work = async (): Promise<void> => {
    for (const file of waiting) fates.set(file, await fatesOf(file));
  };
  await Promise.all([work(), work()]);
  const all = files.flatMap((file) =>
    mutantsOf(file).map((mutant, at) => ({ ...mutant, by: fates.get(file)?.[at] ?? null })),
  );
  const [noticed, survivors] = [all.filter(({ by }) => by !== null), all.filter(({ by }) => by === null)];
  const why = ({ name }: Mutant): string => equivalent[name] ?? '**a test is missing**';
  const text = [
    '# Mutants of the policy engine',
    '<!-- Made by scripts/mutate.ts (make mutate); do not edit. -->',
    `One comparison at a time is changed, and ${tests.map(code).join(', ')} are run. Of ${all.length} mutants ${noticed.length} are noticed.`,
    '## That change nothing which could be noticed',
    table(
      ['File', 'Line', 'Change', 'Why'],
      survivors.map((mutant) => [...mutant.cells, why(mutant)]),
    ),
    '## That a test notices',
    table(
      ['File', 'Line', 'Change', 'First noticed by'],
      noticed.map(({ cells, by }) => [...cells, by ?? '']),
    ),
  ];
  writeFileSync(join(root, 'test/policy/mutants.md'), `${text.join('\n\n')}\n`);
  const missing = survivors.filter(({ name }) => !Object.hasOwn(equivalent, name));
  for (const { name } of missing) console.error(`no test notices ${name}`);
  console.log(`${all.length} mutants, ${noticed.length} noticed, ${missing.length} of the others without a reason`);
  process.exitCode = missing.length > 0 ? 1 : 0;
}

const [file, from] = process.argv.slice(2);
await (file === undefined ? main() : tryMutants(file, Number(from)));
