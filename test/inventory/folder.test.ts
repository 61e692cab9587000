// The inventory of a folder: what an edit, a mistake, a rename or a duplicate changes, and above all what it does not.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mayDiffer } from '../../src/inventory/files.ts';
import { folderInventory } from '../../src/inventory/folder.ts';
import type { FolderInventory } from '../../src/inventory/folder.ts';
import type { Inventory } from '../../src/model/objects.ts';
import { configMapText } from '../../src/translate/content.ts';
import { createWorld } from '../../src/translate/world.ts';
import { lines, until } from './log.ts';

const ingress = (name: string, host = `${name}.example.com`) => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${name}
spec:
  rules:
    - host: ${host}
`;

describe('a folder of manifests', () => {
  let directory: string;
  let source: FolderInventory | undefined;
  let inventories: Inventory[];
  let log: ReturnType<typeof lines>;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sallyport-folder-'));
    inventories = [];
    log = lines();
  });
  afterEach(async () => {
    await source?.stop();
    await rm(directory, { recursive: true });
  });

  async function write(file: string, content: string): Promise<void> {
    await mkdir(dirname(join(directory, file)), { recursive: true });
    await writeFile(join(directory, file), content);
  }
  async function start(watch = true): Promise<FolderInventory> {
    const onChange = (inventory: Inventory) => void inventories.push(inventory);
    source = folderInventory({ directory, log: log.logger, onChange, watch });
    await source.start();
    return source;
  }
  const latest = () => inventories.at(-1)!;
  const ingresses = () => [...latest().ingresses.keys()];
  const hostOf = (name: string) =>
    (latest().ingresses.get(`default/${name}`)!['spec'] as { rules: { host: string }[] }).rules[0]!.host;
  const problems = () => source!.problems().map(({ file, line, message }) => ({ file, line, message }));

  test('an edit arrives within 300 ms, and leaves every other object the same object', async () => {
    await write('a.yaml', ingress('a'));
    await write('below/b.yml', ingress('b'));
    await start();
    assert.deepEqual(ingresses(), ['default/a', 'default/b']);
    const before = latest();
    // The look that follows the start is over.
    await sleep(100);
    const begun = performance.now();
    await write('a.yaml', ingress('a', 'new.example.com'));
    await until(() => inventories.length > 1);
    assert.ok(performance.now() - begun < 300, `${performance.now() - begun} ms`);
    assert.equal(hostOf('a'), 'new.example.com');
    assert.equal(latest().ingresses.get('default/b'), before.ingresses.get('default/b'));
    assert.equal(latest().services, before.services);
    assert.equal(before.ingresses.size, 2);
    const [line] = log.of('manifests changed');
    assert.deepEqual(line?.['files'], [join(directory, 'a.yaml')]);
    assert.equal(typeof line?.['ms'], 'number');
  });

  test('objects are frozen, without status, managedFields and the last-applied annotation', async () => {
    await write(
      'a.json',
      JSON.stringify(
        {
          apiVersion: 'sallyport.dev/v1alpha1',
          kind: 'Policy',
          metadata: {
            name: 'p',
            creationTimestamp: null,
            managedFields: [{}],
            annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', a: 'b' },
          },
          spec: { rules: [] },
          status: { routes: 1 },
        },
        undefined,
        '\t',
      ),
    );
    await start(false);
    const policy = latest().policies.get('default/p');
    assert.deepEqual(policy, {
      apiVersion: 'sallyport.dev/v1alpha1',
      kind: 'Policy',
      metadata: { name: 'p', namespace: 'default', annotations: { a: 'b' } },
      spec: { rules: [] },
    });
    assert.ok(Object.isFrozen(policy.spec));
  });

  test('many documents, a List, comments and kinds of others: only our kinds are taken', async () => {
    const list = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { apiVersion: 'v1', kind: 'Service', metadata: { name: 's', namespace: 'n' } },
        { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' } },
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n', namespace: 'ignored', labels: { tier: 'x' } } },
      ],
    });
    await write('all.yaml', `# nothing\n---\n${ingress('a')}---\n---\n${list}\n---\n${ingress('b')}`);
    await write('notes.txt', 'no: [manifest');
    await write('.hidden.yaml', 'no: [manifest');
    await start(false);
    assert.deepEqual(ingresses(), ['default/a', 'default/b']);
    assert.deepEqual([...latest().services.keys()], ['n/s']);
    assert.deepEqual(latest().namespaces.get('n')?.metadata, {
      name: 'n',
      labels: { tier: 'x', 'kubernetes.io/metadata.name': 'n' },
    });
    assert.deepEqual(problems(), []);
  });

  test('a file that stops parsing keeps its objects until it is mended, and is said once', async () => {
    await write('a.yaml', ingress('a'));
    await write('b.yaml', ingress('b'));
    await start();
    await write('a.yaml', `${ingress('a', 'x.example.com')}  bad: [`);
    await until(() => source!.problems().length === 1);
    assert.equal(hostOf('a'), 'a.example.com');
    assert.equal(inventories.length, 1);
    assert.equal(problems()[0]?.file, join(directory, 'a.yaml'));
    assert.equal(problems()[0]?.line, 8);
    // Another file's change is taken meanwhile.
    await write('b.yaml', ingress('b', 'y.example.com'));
    await until(() => inventories.length === 2);
    assert.equal(hostOf('a'), 'a.example.com');
    assert.equal(hostOf('b'), 'y.example.com');
    await write('a.yaml', ingress('a', 'x.example.com'));
    await until(() => inventories.length === 3);
    assert.equal(hostOf('a'), 'x.example.com');
    assert.deepEqual(problems(), []);
    const said = log.said();
    assert.equal(said.filter((text) => /^not taken: .*a\.yaml:\d+: ./.test(text)).length, 1);
    assert.equal(said.filter((text) => text.startsWith('mended: ')).length, 1);
  });

  test('a document that loses its kind or name changes nothing of its file either', async () => {
    await write('a.yaml', ingress('a'));
    await start();
    await write('a.yaml', ingress('a').replace('kind: Ingress\n', ''));
    await until(() => source!.problems().length === 1);
    assert.match(problems()[0]!.message, /kind is missing/);
    await write('a.yaml', ingress('a').replace('  name: a\n', '  labels: {}\n'));
    await until(() => /metadata\.name/.test(problems()[0]?.message ?? ''));
    assert.deepEqual(ingresses(), ['default/a']);
  });

  test('a deleted file takes its objects along, a renamed one keeps them the same', async () => {
    await write('a.yaml', ingress('a'));
    await write('b.yaml', ingress('b'));
    await start();
    const before = latest().ingresses.get('default/a');
    await rename(join(directory, 'a.yaml'), join(directory, 'z.yaml'));
    await unlink(join(directory, 'b.yaml'));
    await until(() => ingresses().join() === 'default/a');
    assert.equal(latest().ingresses.get('default/a'), before);
    assert.equal(
      source!.locate?.({ kind: 'Ingress', namespace: 'default', name: 'a' }, '')?.file,
      join(directory, 'z.yaml'),
    );
  });

  test('a duplicate is a problem, and the object that was there stays, whatever the order of the files', async () => {
    await write('m.yaml', ingress('a'));
    await start();
    await write('b.yaml', `${ingress('b')}---\n${ingress('a', 'stolen.example.com')}`);
    await until(() => inventories.length === 2);
    assert.equal(hostOf('a'), 'a.example.com');
    assert.deepEqual(problems(), [
      {
        file: join(directory, 'b.yaml'),
        line: 9,
        message: `Ingress default/a is already in ${join(directory, 'm.yaml')}:1, which stays in force`,
      },
    ]);
    await unlink(join(directory, 'm.yaml'));
    await until(() => inventories.length === 3);
    assert.equal(hostOf('a'), 'stolen.example.com');
    assert.deepEqual(problems(), []);
  });

  test('the line of a field is exact, and of its nearest parent where it is missing', async () => {
    await write(
      'a.yaml',
      `# first\n---\n${ingress('a').replace('  name: a', '  name: a\n  annotations:\n    sallyport.dev/policy: x\n    sallyport: y')}`,
    );
    await write(
      'list.yaml',
      `apiVersion: v1\nkind: List\nitems:\n${ingress('b').replaceAll(/^/gm, '    ').replace('    ', '  - ')}`,
    );
    await start(false);
    const line = (name: string, path: string) =>
      source!.locate?.({ kind: 'Ingress', namespace: 'default', name }, path)?.line;
    assert.equal(line('a', 'spec.rules[0].host'), 12);
    assert.equal(line('a', 'metadata.annotations[sallyport.dev/policy]'), 8);
    assert.equal(line('a', 'metadata.annotations.sallyport.dev/policy'), 8);
    assert.equal(line('a', 'spec.rules[0].http.paths[3].backend'), 12);
    assert.equal(line('a', 'spec.tls[0].secretName'), 10);
    assert.equal(line('a', ''), 3);
    assert.equal(line('b', 'spec.rules[0].host'), 10);
    assert.equal(line('b', ''), 4);
    assert.equal(line('c', ''), undefined);
  });

  test('what the API server would refuse is refused, with the line', async () => {
    const wrong: [string, RegExp, number][] = [
      [ingress('A'), /metadata\.name: lower-case/, 4],
      [ingress('a').replace('  name: a', '  name: a\n  namespace: a.b'), /metadata\.namespace/, 5],
      [
        ingress('a').replace('  name: a', '  name: a\n  annotations:\n    sallyport.dev/x: true'),
        /\[sallyport\.dev\/x\]: a string/,
        6,
      ],
      ['apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  port: 80\n', /stringData\[port\]/, 5],
      ['apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  people: [ana]\n', /data\[people\]/, 5],
      [
        'apiVersion: sallyport.dev/v1\nkind: Policy\nmetadata: {name: s}\n',
        /there is no kind Policy in sallyport\.dev\/v1;/,
        1,
      ],
      ['kind: ClusterPolcy\napiVersion: sallyport.dev/v1alpha1\nmetadata: {name: s}\n', /no kind ClusterPolcy/, 2],
      [
        'apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: s}\n',
        /Ingress \(networking\.k8s\.io\/v1\)/,
        1,
      ],
      ['a: &a [x,x,x,x,x,x,x,x,x]\n', /apiVersion is missing/, 1],
      [
        `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c]\n`,
        /Excessive alias/,
        1,
      ],
      ['- just\n- a list\n', /an object with apiVersion/, 1],
      ['a: 1\na: 2\n', /unique/, 2],
    ];
    for (const [index, [content]] of wrong.entries()) await write(`${String(index).padStart(2, '0')}.yaml`, content);
    await start(false);
    assert.equal(problems().length, wrong.length);
    for (const [index, [, message, line]] of wrong.entries()) {
      const problem = problems().find(({ file }) => file.endsWith(`${String(index).padStart(2, '0')}.yaml`));
      assert.match(problem!.message, message);
      assert.equal(problem!.line, line, problem!.message);
    }
    assert.deepEqual(ingresses(), []);
  });

  test('a ConfigMap is there with its content, and follows its file', async () => {
    const people = (list: string) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: oncall}\ndata:\n  people: "${list}"\n`;
    await write('a.yaml', people('ana'));
    await start();
    const read = () => {
      const world = createWorld(latest(), { className: '', installationNamespace: '', fromFolder: true }, 0);
      const found = world.configMap('default', 'oncall');
      assert.equal(world.isPending(), false);
      return typeof found === 'object' ? configMapText(found, 'people') : found;
    };
    assert.equal(read(), 'ana');
    await write('a.yaml', people('ben'));
    await until(() => read() === 'ben', 1000);
    await unlink(join(directory, 'a.yaml'));
    await until(() => read() === 'missing', 1000);
  });

  test('stringData of a Secret is merged into data', async () => {
    await write(
      's.yaml',
      'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: YQ==, b: Yg==}\nstringData: {b: "ü"}\n',
    );
    await start(false);
    const secret = latest().secrets.get('default/s');
    assert.deepEqual(secret?.['data'], { a: 'YQ==', b: 'w7w=' });
    assert.equal(secret?.['stringData'], undefined);
  });

  test('a mounted ConfigMap is read once, and its swap is one change', async () => {
    await write('..one/a.yaml', ingress('a'));
    await symlink('..one', join(directory, '..data'));
    await symlink('..data/a.yaml', join(directory, 'a.yaml'));
    await start();
    assert.deepEqual(problems(), []);
    assert.deepEqual(ingresses(), ['default/a']);
    await write('..two/a.yaml', ingress('a', 'two.example.com'));
    await symlink('..two', join(directory, '..next'));
    await rename(join(directory, '..next'), join(directory, '..data'));
    await until(() => inventories.length === 2);
    assert.equal(hostOf('a'), 'two.example.com');
  });

  test('links in a circle are followed once', async () => {
    await write('below/a.yaml', ingress('a'));
    await symlink('..', join(directory, 'below/up'));
    await symlink('nowhere.yaml', join(directory, 'dangling.yaml'));
    await start(false);
    assert.deepEqual(ingresses(), ['default/a']);
    assert.deepEqual(problems(), []);
  });

  test('a file is read again while a second write could hide within the same tick of the clock', () => {
    const stamp = { identity: 'same', size: 1, modifiedAt: 1_000_000 };
    assert.equal(mayDiffer(stamp, { stamp, readAt: 1_000_010 }), true);
    assert.equal(mayDiffer(stamp, { stamp, readAt: 1_000_100 }), false);
    assert.equal(mayDiffer({ ...stamp, identity: 'other' }, { stamp, readAt: 1_000_100 }), true);
  });

  test('an edit that changes only a comment is no change', async () => {
    await write('a.yaml', ingress('a'));
    await start();
    await write('a.yaml', `# why\n${ingress('a')}`);
    await until(() => source!.locate?.({ kind: 'Ingress', namespace: 'default', name: 'a' }, '')?.line === 2);
    assert.equal(inventories.length, 1);
    assert.deepEqual(log.of('manifests changed'), []);
  });

  test('a change that nobody announces is found all the same', async () => {
    await write('a.yaml', ingress('a'));
    await start();
    // The kernel goes on watching the folder that was there, and not the one that takes its place.
    await rename(directory, `${directory}-before`);
    await write('a.yaml', ingress('a', 'b.example.com'));
    await sleep(200);
    await write('a.yaml', ingress('a', 'c.example.com'));
    await until(() => hostOf('a') === 'c.example.com', 4000);
    await rm(`${directory}-before`, { recursive: true });
  });

  test('no object is gone for a moment while its file is being written, or put in the place of another', async () => {
    await write('a.yaml', ingress('a', '0.example.com'));
    await start();
    let quick = 0;
    for (let round = 1; quick < 12 && round <= 100; round++) {
      const from = inventories.length;
      const begun = performance.now();
      await write('a.yaml', '');
      await sleep(7);
      if (round % 2 === 0) await unlink(join(directory, 'a.yaml'));
      await sleep(6);
      await write('a.yaml', ingress('a', `${round}.example.com`));
      const tookMs = performance.now() - begun;
      await until(() => hostOf('a') === `${round}.example.com`);
      await sleep(round * 5);
      // On a busy machine a save may take longer than the folder must be at rest: it then is what it looks like.
      if (tookMs > 23) continue;
      quick += 1;
      assert.ok(
        inventories.slice(from).every((inventory) => inventory.ingresses.size === 1),
        `round ${round}`,
      );
    }
    assert.ok(quick > 0, 'no save was quick enough to tell anything');
  });

  test('a folder that is not there fails the start, and one that goes later changes nothing', async () => {
    const missing = folderInventory({ directory: join(directory, 'no'), log: log.logger, onChange() {}, watch: true });
    await assert.rejects(missing.start(), { code: 'ManifestsUnreadable' });
    await missing.stop();
    await write('a.yaml', ingress('a'));
    await start();
    await rename(directory, `${directory}-away`);
    await until(() => source!.problems().length === 1, 4000);
    assert.equal(inventories.length, 1);
    await rename(`${directory}-away`, directory);
    await until(() => source!.problems().length === 0, 4000);
    assert.equal(inventories.length, 1);
  });
});
