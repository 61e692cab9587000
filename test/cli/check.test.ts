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
    /^engineering\.localhost +\/ +demo\/engineering +demo\/mirror:80 \(1 endpoint\) +1 policy\n {2}Policy demo\/engineers +Own +Enforce +annotation sallyport\.dev\/policy$/m,
  );
  assert.match(stdout, /4 hosts, 0 errors, 0 warnings/);
});

const governed = `apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sallyport}
spec: {controller: sallyport.dev/ingress-controller}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {tier: internal}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: people, namespace: shop, annotations: {sallyport.dev/refreshed-at: "2026-01-01T00:00:00Z"}}
data: {suspended: "[eve@example.com]"}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
  labels: {app: web}
  annotations:
    sallyport.dev/policy: staff
    sallyport.dev/allow-groups: engineering
    sallyport.dev/allow-emails: a-person-with-a-rather-long-name@example.com, another-person@example.com
spec:
  ingressClassName: sallyport
  rules:
    - host: web.localhost
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
          - {path: /api, pathType: Exact, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: bare, namespace: shop}
spec:
  ingressClassName: sallyport
  rules: [{host: bare.localhost, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: staff, namespace: shop}
spec: {rules: [{allow: {and: [{groups: {has: staff}}]}}, {mode: Audit, deny: {or: [{httpMethod: {is: DELETE}}]}}]}
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: suspended, namespace: shop}
spec:
  mode: Audit
  targetRefs: [{selector: {matchLabels: {app: web}}}]
  dataSets: [{name: suspended, configMapRef: {name: people, key: suspended}, staleAfter: 24h}]
  rules: [{deny: {or: [{email: {inDataSet: suspended}}]}}]
---
apiVersion: sallyport.dev/v1alpha1
kind: ClusterPolicy
metadata: {name: ours}
spec:
  enforcement: Mandatory
  namespaceSelector: {matchLabels: {tier: internal}}
  rules: [{deny: {not: [{email: {endsWith: "@example.com"}}]}}]
`;

test('below a route stand the policies that govern it, and why, within 100 columns', () => {
  const governedFolder = mkdtempSync(join(tmpdir(), 'sallyport-governed-'));
  after(() => rmSync(governedFolder, { recursive: true }));
  writeFileSync(join(governedFolder, 'all.yaml'), governed);
  const { stdout } = sallyport('check', governedFolder);
  assert.equal(
    stdout.split('\n').slice(0, 12).join('\n'),
    `HOST            PATH          INGRESS    UPSTREAM                   ACCESS
bare.localhost  /             shop/bare  shop/web:80 (0 endpoints)  1 policy
  ClusterPolicy ours  Mandatory  Enforce  its namespaceSelector selects shop
web.localhost   /api (exact)  shop/web   shop/web:80 (0 endpoints)  4 policies
  annotations of Ingress shop/web  Own        Enforce  the e-mail address is
      a-person-with-a-rather-long-name@example.com, or the e-mail address is
      another-person@example.com, or the groups hold engineering
  Policy shop/staff                Own        Enforce  annotation sallyport.dev/policy; 1 rule in
      Audit
  Policy shop/suspended            Own        Audit    its spec.targetRefs[0]
  ClusterPolicy ours               Mandatory  Enforce  its namespaceSelector selects shop
web.localhost   /             shop/web   shop/web:80 (0 endpoints)  4 policies, as above`,
  );
  const { routes } = JSON.parse(sallyport('check', governedFolder, '-o', 'json').stdout) as {
    routes: { policies: Record<string, unknown>[] }[];
  };
  assert.deepEqual(routes[1]?.policies[2], {
    policy: 'Policy shop/suspended',
    attachment: 'Own',
    mode: 'Audit',
    because: 'its spec.targetRefs[0]',
    dataSets: [{ name: 'suspended', entries: 1, staleAt: '2026-01-02T00:00:00.000Z' }],
  });
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
  assert.match(stdout, /^shop\.localhost .*denied\n {2}denied: there is no Policy nobody-wrote-it$/m);
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
