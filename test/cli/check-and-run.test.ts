// `check` says what `run` would: the same folder given to both, and what each complains of compared, case by case.
import assert from 'node:assert/strict';
import { copyFileSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { check } from '../../src/cli/check.ts';
import { startSallyport } from '../../src/cli/run.ts';
import { readRunSettings } from '../../src/cli/settings.ts';
import { describeReference, diagnosticCodes } from '../../src/model/diagnostic.ts';
import type { ObjectReference } from '../../src/model/diagnostic.ts';
import { createLogger } from '../../src/telemetry.ts';

/** The class, and what the cases refer to. */
const surroundings = join(import.meta.dirname, '../translate/cluster.yaml');
const cases = globSync('*/input.yaml', { cwd: join(import.meta.dirname, '../translate') }).toSorted();

interface Told {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly object?: ObjectReference;
  readonly path?: string;
  readonly file?: string;
  readonly line?: number;
}

async function checked(
  folder: string,
): Promise<{ readonly diagnostics: readonly Told[]; readonly routes: readonly unknown[] }> {
  let printed = '';
  await check([folder, '-o', 'json'], (text) => (printed += text));
  return JSON.parse(printed) as { diagnostics: Told[]; routes: unknown[] };
}

/** What is logged up to the moment at which it serves. */
async function ran(folder: string): Promise<readonly Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger('warn', (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  const flags = ['--manifests', folder, '--http', '127.0.0.1:0', '--https', '', '--probes', '', '--admin', ''];
  const sallyport = await startSallyport(readRunSettings(flags, {}), log);
  await sallyport.stop();
  return lines;
}

const key = ({ code, object, path }: { code?: unknown; object?: unknown; path?: unknown }) =>
  [code, object, path].map(String).join(' | ');

test('what is wrong with a folder, check says as run logs it: code, object, path and sentence', async () => {
  assert.ok(cases.length > 100, `${cases.length} cases were found`);
  const codes = new Set<string>();
  for (const file of cases) {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-both-'));
    try {
      copyFileSync(surroundings, join(folder, 'surroundings.yaml'));
      copyFileSync(join(import.meta.dirname, '../translate', file), join(folder, 'input.yaml'));
      const { diagnostics } = await checked(folder);
      // Other lines carry codes of their own, such as that of a Redis which is not there.
      const logged = (await ran(folder)).filter(({ code }) => Object.hasOwn(diagnosticCodes, String(code)));
      const said = diagnostics.map((one) => key({ ...one, object: one.object && describeReference(one.object) }));
      assert.deepEqual(new Set(logged.map(key)), new Set(said), dirname(file));
      for (const one of diagnostics) {
        codes.add(one.code);
        const sentence = logged.find((line) => String(line['msg']).includes(one.message));
        assert.ok(sentence, `${dirname(file)}: ${one.message}`);
        assert.match(one.code, /^[A-Z][A-Za-z]+$/);
        assert.match(one.severity, /^(error|warning)$/);
        // What is wrong, and what would be right or what comes of it.
        assert.ok(one.message.length > 15, one.message);
        if (one.path !== undefined && one.path !== '')
          assert.ok((one.line ?? 0) > 0, `${dirname(file)}: ${one.path ?? ''} has a line`);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  assert.ok(codes.size > 25, `${codes.size} codes were met`);
});

test('a file that is no YAML is told by both', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-both-'));
  try {
    writeFileSync(join(folder, 'broken.yaml'), 'kind: [\n');
    const { diagnostics } = await checked(folder);
    const told = diagnostics.find(({ code }) => code === 'ManifestInvalid');
    assert.ok(told);
    assert.ok(
      (await ran(folder)).some(({ msg }) => String(msg).includes('broken.yaml')),
      'run names the file',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
