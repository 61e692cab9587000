// `sallyport check`, as a person runs it: routes, and mistakes with their place in the file.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-check-'));
after(() => rmSync(folder, { recursive: true }));

function sallyport(...args: string[]) {
  return spawnSync(join(root, 'bin/sallyport'), args, { encoding: 'utf8', cwd: root });
}

test('the demo’s manifests have no mistake: exit code 0, and a table of routes', () => {
  const { status, stdout } = sallyport('check', 'demo/manifests');
  assert.equal(status, 0);
  assert.match(
    stdout,
    /^engineering\.localhost +\/ +demo\/engineering +demo\/mirror:80 \(1 endpoint\) +Policy demo\/engineers$/m,
  );
  assert.match(stdout, /4 hosts, 0 errors, 0 warnings/);
});

test('mistakes are lines of file:line: message, and exit code 1', () => {
  writeFileSync(
    join(folder, 'bad.yaml'),
    `apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sallyport}
spec: {controller: sallyport.dev/ingress-controller}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  namespace: demo
  annotations:
    sallyport.dev/policy: nobody-wrote-it
spec:
  ingressClassName: sallyport
  rules:
    - host: shop.localhost
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: gone, port: {number: 80}}}}]}
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: odd, namespace: demo}
spec:
  rules:
    - allow:
        and:
          - emial: {is: ana@example.com}
`,
  );
  writeFileSync(join(folder, 'broken.yaml'), 'a: [\n');
  const { status, stdout } = sallyport('check', folder);
  assert.equal(status, 1);
  assert.match(
    stdout,
    /bad\.yaml:12: error: Ingress demo\/shop: .*there is no Policy nobody-wrote-it.*\(PolicyNotFound\)/,
  );
  assert.match(
    stdout,
    /bad\.yaml:17: error: Ingress demo\/shop: .*there is no Service demo\/gone.*\(ServiceNotFound\)/,
  );
  assert.match(stdout, /bad\.yaml:26: error: Policy demo\/odd: .*emial.*did you mean email/);
  assert.match(stdout, /broken\.yaml:\d+: error: /);
  assert.match(stdout, /^shop\.localhost .*denied: there is no Policy nobody-wrote-it$/m);
});

test('-o json says the same to a program', () => {
  const { status, stdout } = sallyport('check', folder, '-o', 'json');
  assert.equal(status, 1);
  const { routes, diagnostics } = JSON.parse(stdout) as {
    routes: { host: string }[];
    diagnostics: { code: string; file: string; line: number }[];
  };
  assert.equal(routes[0]?.host, 'shop.localhost');
  const found = diagnostics.find(({ code }) => code === 'PolicyNotFound');
  assert.deepEqual([found?.file.endsWith('bad.yaml'), found?.line], [true, 12]);
});

test('wrong usage is one line and exit code 2', () => {
  for (const args of [
    ['check'],
    ['check', 'a', 'b'],
    ['check', folder, '-o', 'xml'],
    ['check', '--nonsense'],
    ['nonsense'],
    ['check', join(folder, 'absent')],
  ]) {
    const { status, stderr, stdout } = sallyport(...args);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, /^sallyport: .+\n$/, args.join(' '));
    assert.equal(stdout, '');
  }
});
