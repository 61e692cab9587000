// The table of the Kubernetes documentation on how paths and wildcards match, and multiple matches, over real sockets.
// kubernetes.io/docs/concepts/services-networking/ingress, "Examples" and "Hostname wildcards".
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feature, ingress, path, rule } from './feature.ts';

type Answer = 404 | string;
interface Row {
  /** `=/foo` is Exact, all else Prefix. The Service that answers is named after the path. */
  readonly paths: readonly string[];
  readonly asked: Readonly<Record<string, Answer>>;
}

const rows: readonly Row[] = [
  { paths: ['/'], asked: { '/': '/', '/any/path': '/' } },
  { paths: ['=/foo'], asked: { '/foo': '=/foo', '/bar': 404, '/foo/': 404 } },
  { paths: ['=/foo/'], asked: { '/foo': 404, '/foo/': '=/foo/' } },
  { paths: ['/foo'], asked: { '/foo': '/foo', '/foo/': '/foo' } },
  { paths: ['/foo/'], asked: { '/foo': '/foo/', '/foo/': '/foo/' } },
  { paths: ['/aaa/bb'], asked: { '/aaa/bbb': 404 } },
  {
    paths: ['/aaa/bbb'],
    asked: { '/aaa/bbb': '/aaa/bbb', '/aaa/bbb/': '/aaa/bbb', '/aaa/bbb/ccc': '/aaa/bbb', '/aaa/bbbxyz': 404 },
  },
  { paths: ['/aaa/bbb/'], asked: { '/aaa/bbb': '/aaa/bbb/' } },
  { paths: ['/', '/aaa'], asked: { '/aaa/ccc': '/aaa' } },
  {
    paths: ['/', '/aaa', '/aaa/bbb'],
    asked: { '/aaa/bbb': '/aaa/bbb', '/aaa/ccc': '/aaa', '/ccc': '/' },
  },
  { paths: ['/foo', '=/foo'], asked: { '/foo': '=/foo', '/foo/bar': '/foo' } },
];

const hostOf = (index: number) => `row-${index}.example.com`;
const serviceOf = (written: string) => `s${written.replace('=', 'exact').replaceAll('/', '-')}x`;
const pathOf = (written: string) =>
  written.startsWith('=')
    ? path(written.slice(1), 'Exact', serviceOf(written))
    : path(written, 'Prefix', serviceOf(written));

feature(
  'paths of the documentation',
  () => ({
    objects: ingress(
      'paths',
      `rules: [${rows.map(({ paths }, index) => rule(hostOf(index), ...paths.map(pathOf))).join(', ')}]`,
    ),
  }),
  (rig) => {
    for (const [index, { paths, asked }] of rows.entries()) {
      test(`of ${paths.join(' and ')}`, async () => {
        for (const [at, wanted] of Object.entries(asked)) {
          const { status, echo } = await rig().ask(`http://${hostOf(index)}${at}`);
          assert.equal(echo?.service ?? status, wanted === 404 ? 404 : serviceOf(wanted), at);
        }
      });
    }
  },
);

feature(
  'a default backend beside rules',
  () => ({
    objects: ingress(
      'beside',
      `defaultBackend: {service: {name: fallback, port: {number: 8080}}}, rules: [${rule('app.example.com', path('/aaa', 'Prefix', 'aaa'))}]`,
    ),
  }),
  (rig) => {
    test('answers for its hosts where no path matches, and for no other host', async () => {
      assert.equal((await rig().ask('http://app.example.com/aaa')).echo?.service, 'aaa');
      assert.equal((await rig().ask('http://app.example.com/ccc')).echo?.service, 'fallback');
      assert.equal((await rig().ask('http://other.example.com/ccc')).status, 404);
    });
  },
);

feature(
  'wildcards of the documentation',
  () => ({
    objects: ingress(
      'wildcard',
      `rules: [${rule('"*.foo.com"', path('/', 'Prefix', 'wildcard'))}, {host: empty.example.com}]`,
    ),
  }),
  (rig) => {
    test('a wildcard is one label, and a rule without http serves nothing', async () => {
      assert.equal((await rig().ask('http://bar.foo.com/')).echo?.service, 'wildcard');
      assert.equal((await rig().ask('http://baz.bar.foo.com/')).status, 404);
      assert.equal((await rig().ask('http://foo.com/')).status, 404);
      assert.equal((await rig().ask('http://empty.example.com/')).status, 404);
    });
  },
);
