// The reference pages are what the code says, and tables that people wrote by hand leave nothing of it out.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { generateDocs, staleDocs } from '../../scripts/docs.ts';
import { signAssertion } from '../../src/auth/assertion.ts';
import { createKeyRing } from '../../src/auth/keys.ts';
import { diagnosticCodes } from '../../src/model/diagnostic.ts';
import { sallyportSpec } from '../../src/model/kinds.ts';
import { identityHeaders } from '../../src/proxy/identity-headers.ts';
import { annotations, reservedAnnotations } from '../../src/translate/annotation-table.ts';
import { pages, readPage, root } from './pages.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-docs-'));
after(() => rmSync(folder, { recursive: true }));

test('the generated pages are current, and --check says so', () => {
  const { status, stderr } = spawnSync(join(root, 'bin/node'), ['scripts/docs.ts', '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

test('a page that is not current is named', async () => {
  cpSync(join(root, 'docs'), folder, { recursive: true });
  writeFileSync(join(folder, 'flags.md'), `${readFileSync(join(folder, 'flags.md'), 'utf8')}\nby hand\n`);
  rmSync(join(folder, 'metrics.md'));
  assert.deepEqual(await staleDocs(folder), ['flags.md', 'metrics.md']);
});

test('every page that is generated is the same twice', async () => {
  assert.deepEqual([...(await generateDocs())], [...(await generateDocs())]);
});

test('each diagnostic says what it means, and is in a case of the tests, so that its severity is known', () => {
  const page = readPage('docs/diagnostics.md');
  for (const [code, meaning] of Object.entries(diagnosticCodes)) {
    assert.match(page, new RegExp(`^\\| \`${code}\` \\| (error|warning|error, warning) \\| `, 'm'), code);
    assert.match(meaning, /\.$/, code);
  }
});

test('each outcome of a request is explained, and no other', () => {
  const read = (file: string) => readFileSync(join(root, 'src', file), 'utf8');
  const union = (text: string, name: string) => {
    const [, body = ''] = new RegExp(`export type ${name} =([^;]+);`).exec(text) ?? [];
    return [...body.matchAll(/'(\w+)'/g)].map(([, word]) => word);
  };
  const outcomes = [
    ...union(read('proxy/exchange.ts'), 'RequestOutcome'),
    ...union(read('model/page.ts'), 'UpstreamFailure'),
  ];
  assert.ok(outcomes.length > 20, 'the outcomes were found');
  const [, section = ''] = readPage('docs/troubleshooting.md').split('| `outcome` | Means |');
  const told = section
    .split('\n\n', 1)
    .flatMap((table) => table.split('\n'))
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, word]) => word));
  assert.deepEqual(new Set(told), new Set(outcomes));
});

test('each header preset is told with exactly the headers that it sends', () => {
  const identity = {
    user: 'ana',
    email: 'ana@example.com',
    name: 'Ana',
    groups: ['engineering'],
    claims: { preferred_username: 'ana' },
  };
  const presets = sallyportSpec.shape.identityHeaders.unwrap().shape.preset.unwrap().options;
  const page = readPage('docs/applications.md');
  for (const preset of presets) {
    const sent = identityHeaders(
      { identity, assertion: 'the.assertion' },
      { preset, assertion: 'Shared', claims: {} },
    ).filter((_, index) => index % 2 === 0);
    const row = page.split('\n').find((line) => line.startsWith(`| \`${preset}\` |`)) ?? '';
    const told = [...row.matchAll(/`([\w-]+)`/g)].map(([, word]) => word).slice(1);
    assert.deepEqual(told, sent, preset);
  }
});

test('each claim of an assertion is told, and no other', () => {
  const claims = { amr: ['pwd'], acr: 'high' };
  const identity = { user: 'ana', email: 'ana@example.com', name: 'Ana', groups: [], claims };
  const session = { id: 's', provider: 'okta', identity, authenticatedAt: 0, startedAt: 0, expiresAt: 1 };
  const terms = { issuer: 'https://a', host: 'b', route: 'shop/cart b/', requestId: 'r', now: 0 };
  const [, payload = ''] = signAssertion(createKeyRing(), session, terms).split('.');
  const made = Object.keys(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object);
  const [, table = ''] = /\| Claim \| Holds \|\n([^]*?)\n\n/.exec(readPage('docs/applications.md')) ?? [];
  const told = table
    .split('\n')
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, claim]) => claim));
  assert.deepEqual(new Set(told), new Set(made));
});

test('no page names an annotation that there is not', () => {
  const named = pages
    .flatMap((page) => [...readPage(page).matchAll(/sallyport\.dev\/([a-z-]+)\b(?!\/)/g)])
    .map(([, name = '']) => name)
    // The API group's version, the controller's name, the field manager, and what a ConfigMap says of its age.
    .filter((name) => !['v', 'ingress-controller', 'refreshed-at'].includes(name));
  assert.ok(named.length > 20, 'they were found');
  assert.deepEqual(
    named.filter((name) => !Object.hasOwn(annotations, name) && !Object.hasOwn(reservedAnnotations, name)),
    [],
  );
});
