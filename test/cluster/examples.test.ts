// The examples, as a newcomer would use them: the API server takes every one, and `sallyport check` finds nothing wrong.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { check } from '../../src/cli/check.ts';
import { startApiServer } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import { installCrds } from './install.ts';

const examples = join(import.meta.dirname, '../../manifests/examples');
const files = globSync('*.yaml', { cwd: examples }).toSorted();
const readExample = (file: string) => readFileSync(join(examples, file), 'utf8');

test('sallyport check finds no error in the examples, and no policy that lets nobody in', async () => {
  let printed = '';
  const code = await check([examples, '-o', 'json'], (text) => (printed += text));
  const { diagnostics } = JSON.parse(printed) as { diagnostics: { code: string; message: string }[] };
  // Nothing runs in a folder, so that Services have no endpoints.
  const told = diagnostics.filter((one) => !['NoEndpoints', 'NotSupportedYet'].includes(one.code));
  assert.deepEqual(told, []);
  assert.equal(code, 0);
});

describe('the examples on a real API server', () => {
  let server: ApiServer;
  before(async () => {
    server = await startApiServer();
    await installCrds(server);
  });
  after(() => server?.stop());

  const get = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await server.kubectl(['get', ...args]);
    assert.equal(code, 0, stderr);
    return stdout.split('\n').map((line) => line.trim().split(/ {2,}/));
  };

  test('each is accepted, with every field known, and nothing in them is a surprise to kubectl', async () => {
    assert.ok(files.length >= 8, String(files));
    for (const file of files) {
      const { code, stderr } = await server.kubectl(['apply', '--validate=strict', '-f', join(examples, file)]);
      assert.deepEqual({ file, code, stderr }, { file, code: 0, stderr: '' });
    }
  });

  test('one of them names every field of a Sallyport', async () => {
    const { stdout } = await server.kubectl(['explain', 'sallyport.spec', '--recursive']);
    const fields = [...stdout.slice(stdout.indexOf('FIELDS')).matchAll(/^ +([A-Za-z]+)\t/gm)].map(([, name]) => name);
    assert.ok(fields.length > 25, stdout);
    const example = readExample('01-sallyport.yaml');
    assert.deepEqual(
      fields.filter((field) => !new RegExp(`\\b${field}:`).test(example)),
      [],
    );
  });

  test('kubectl get shows each kind, by its short name too', async () => {
    const [policies, engineers] = await get('policies', 'engineers', '-n', 'monitoring');
    assert.deepEqual(policies, ['NAME', 'MODE', 'ROUTES', 'READY', 'REASON', 'AGE']);
    assert.deepEqual(engineers?.slice(0, 2), ['engineers', 'Enforce']);
    assert.deepEqual((await get('pol', 'engineers', '-n', 'monitoring'))[0], policies);
    const [providers, okta] = await get('idp', 'okta');
    assert.deepEqual(providers, ['NAME', 'ISSUER', 'READY', 'REASON', 'AGE']);
    assert.deepEqual(okta?.slice(0, 2), ['okta', 'https://example.okta.com']);
    assert.deepEqual((await get('sp'))[0], ['NAME', 'READY', 'REASON', 'AGE']);
    const [columns, ...clusterPolicies] = await get('cpol');
    assert.deepEqual(columns, ['NAME', 'ENFORCEMENT', 'MODE', 'ROUTES', 'READY', 'REASON', 'AGE']);
    assert.deepEqual(
      clusterPolicies.slice(0, 2).map((row) => row.slice(0, 3)),
      [
        ['internal-is-for-staff', 'Mandatory', 'Enforce'],
        ['wiki-for-everybody-signed-in', 'Default', 'Enforce'],
      ],
    );
  });

  test('kubectl explain lists what a rule, its operators and a matcher are made of', async () => {
    const explain = async (path: string) => (await server.kubectl(['explain', path])).stdout;
    const fieldsOf = async (path: string) =>
      [...(await explain(path)).matchAll(/^ {2}([A-Za-z]+)\t(<.*>)/gm)].map(([, name, type]) => `${name} ${type}`);
    assert.match(
      await explain('policy.spec.rules'),
      /FIELD: rules <\[\]Object>[^]*Who may do what\. A deny wins over every allow\./,
    );
    assert.deepEqual(await fieldsOf('policy.spec.rules'), [
      'allow <Object>',
      'deny <Object>',
      'mode <string>',
      'name <string>',
    ]);
    assert.deepEqual(await fieldsOf('policy.spec.rules.allow'), [
      'and <[]Object>',
      'nor <[]Object>',
      'not <[]Object>',
      'or <[]Object>',
    ]);
    assert.deepEqual(await fieldsOf('pol.spec.rules.allow.and.groups'), [
      'exclude <string>',
      'has <string>',
      'hasAnyInDataSet <string>',
      'hasNoneInDataSet <string>',
      'is <string>',
    ]);
    assert.match(await explain('policy.spec.mode'), /ENUM:\s+Enforce\s+Audit/);
  });
});
