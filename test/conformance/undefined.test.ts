// What the conformance suite and networking.k8s.io/v1 leave open, and how Sallyport decides it: docs/ingress.md says the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { feature, ingress, path, rule } from './feature.ts';
import type { ConformanceRig } from './rig.ts';

const ofDay = (day: number, namespace: string) =>
  `namespace: ${namespace}, creationTimestamp: "2026-01-0${day}T00:00:00Z"`;
const all = (service: string) => path('/', 'Prefix', service);

/** The Service that answers, or the status. */
const served = async (rig: ConformanceRig, url: string, host?: string) => {
  const { status, echo } = await rig.ask(url, host === undefined ? {} : { headers: { Host: host } });
  return echo?.service ?? status;
};

feature(
  'conflicts',
  () => ({
    objects: [
      ingress(
        'a-newer',
        `rules: [${rule('app.example.com', all('newer'), path('/more', 'Prefix', 'more'))}]`,
        ofDay(2, 'one'),
      ),
      ingress('z-older', `rules: [${rule('app.example.com', all('older'))}]`, ofDay(1, 'one')),
      ingress(
        'stranger',
        `rules: [${rule('app.example.com', path('/stranger', 'Prefix', 'stranger'))}]`,
        ofDay(3, 'two'),
      ),
    ].join('---'),
  }),
  (rig) => {
    test('of one path in two Ingresses the older one wins, and the paths of both are served', async () => {
      assert.equal(await served(rig(), 'http://app.example.com/'), 'older');
      assert.equal(await served(rig(), 'http://app.example.com/more'), 'more');
    });
    test('another namespace adds nothing to a host', async () => {
      assert.equal(await served(rig(), 'http://app.example.com/stranger'), 'older');
    });
    test('both losers hear why', () => {
      const told = rig().log.map(({ msg, code, message }) => `${String(code)} ${String(message ?? msg)}`);
      assert.ok(
        told.some((line) => /^ConflictingRoute .*one\/z-older, which is older/.test(line)),
        told.join('\n'),
      );
      assert.ok(
        told.some((line) => /^HostOwnedElsewhere .*belongs to namespace one/.test(line)),
        told.join('\n'),
      );
    });
  },
);

feature(
  'hosts',
  () => ({
    objects: [
      ingress('wild', `rules: [${rule('"*.example.com"', all('wildcard'))}]`, ofDay(1, 'one')),
      ingress('exact', `rules: [${rule('app.example.com', path('/only', 'Prefix', 'exact'))}]`, ofDay(2, 'two')),
    ].join('---'),
  }),
  (rig) => {
    test('an exact host stands before a wildcard, whoever is older, and does not fall through to it', async () => {
      assert.equal(await served(rig(), 'http://app.example.com/only'), 'exact');
      assert.equal(await served(rig(), 'http://app.example.com/'), 404);
      assert.equal(await served(rig(), 'http://other.example.com/'), 'wildcard');
    });
    test('the port in Host is none, the scheme’s own or the listener’s; another is refused', async () => {
      const { port } = rig();
      assert.equal(await served(rig(), 'http://other.example.com/', 'other.example.com:80'), 'wildcard');
      assert.equal(await served(rig(), 'http://other.example.com/', `other.example.com:${port}`), 'wildcard');
      assert.equal(await served(rig(), 'http://other.example.com/', `other.example.com:${port === 1 ? 2 : 1}`), 400);
    });
    test('the root’s dot and letter case make no other host', async () => {
      assert.equal(await served(rig(), 'http://other.example.com/', 'other.example.com.'), 'wildcard');
      assert.equal(await served(rig(), 'http://other.example.com/', 'Other.EXAMPLE.com'), 'wildcard');
      assert.equal(await served(rig(), 'http://other.example.com/', 'other.example.com..'), 400);
    });
  },
);

feature(
  'paths',
  () => ({
    objects: ingress(
      'paths',
      `rules: [${rule(
        'app.example.com',
        path('/foo', 'Prefix', 'foo'),
        path('/caf%C3%A9', 'Exact', 'coffee'),
        path('/specific', 'ImplementationSpecific', 'specific'),
        path('/regex/.*', 'ImplementationSpecific', 'regex'),
        '{path: /resource, pathType: Prefix, backend: {resource: {apiGroup: k8s.example.com, kind: Bucket, name: static}}}',
      )}]`,
    ),
  }),
  (rig) => {
    test('a percent-encoding that is not needed means the character itself, and one that hides a slash is refused', async () => {
      assert.equal(await served(rig(), 'http://app.example.com/%66oo/bar'), 'foo');
      assert.equal(await served(rig(), 'http://app.example.com/caf%c3%a9'), 'coffee');
      assert.equal(await served(rig(), 'http://app.example.com/foo%2Fbar'), 400);
      assert.equal(await served(rig(), 'http://app.example.com/x/../foo'), 400);
    });
    test('the application gets the path that was matched', async () => {
      const { echo } = await rig().ask('http://app.example.com//%66oo//bar?a=%66');
      assert.equal(echo?.path, '/foo/bar?a=%66');
    });
    test('ImplementationSpecific is Prefix, letter for letter', async () => {
      assert.equal(await served(rig(), 'http://app.example.com/specific/more'), 'specific');
      assert.equal(await served(rig(), 'http://app.example.com/specifically'), 404);
      assert.equal(await served(rig(), 'http://app.example.com/regex/anything'), 404);
    });
    test('a resource backend answers 503, and the Ingress says so', async () => {
      assert.equal(await served(rig(), 'http://app.example.com/resource'), 503);
      assert.ok(rig().log.some(({ code }) => code === 'BackendUnsupported'));
    });
  },
);

const withoutClass = (name: string, host: string) =>
  ingress(name, `rules: [${rule(host, all(name))}]`).replace('ingressClassName: conformance, ', '');
const asDefault = (isDefault: boolean) => `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: conformance, annotations: {ingressclass.kubernetes.io/is-default-class: "${isDefault}"}}
spec: {controller: sallyport.dev/ingress-controller}
`;

for (const isDefault of [true, false]) {
  feature(
    `an Ingress without a class, where the class ${isDefault ? 'is' : 'is not'} the default`,
    () => ({ objects: withoutClass('without', 'app.example.com'), ingressClass: asDefault(isDefault) }),
    (rig) => {
      test(`is ${isDefault ? '' : 'not '}served`, async () => {
        assert.equal(await served(rig(), 'http://app.example.com/'), isDefault ? 'without' : 404);
      });
    },
  );
}

const sallyport = (spec: string) => `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: conformance}
spec:
  controller: sallyport.dev/ingress-controller
  parameters: {apiGroup: sallyport.dev, kind: Sallyport, name: default}
---
apiVersion: sallyport.dev/v1alpha1
kind: Sallyport
metadata: {name: default}
spec: ${spec}
`;

feature(
  'the default backend of the class',
  () => ({
    objects: ingress('app', `rules: [${rule('app.example.com', path('/a', 'Prefix', 'app'))}]`),
    ingressClass: sallyport('{defaultBackend: {namespace: platform, name: lost, port: 8080}}'),
    services: [{ namespace: 'platform', name: 'lost', port: { number: 8080 } }],
  }),
  (rig) => {
    test('answers for hosts that nobody names, and for no path of a host that somebody names', async () => {
      assert.equal(await served(rig(), 'http://nobody.example.com/anything'), 'lost');
      assert.equal(await served(rig(), 'http://app.example.com/a'), 'app');
      assert.equal(await served(rig(), 'http://app.example.com/b'), 404);
    });
    test('our own places are not its', async () => {
      assert.equal(await served(rig(), 'http://nobody.example.com/.sallyport/'), 404);
    });
  },
);

feature(
  'a host that the class shares',
  () => ({
    objects: [
      ingress('owner', `rules: [${rule('app.example.com', all('owner'))}]`, ofDay(1, 'one')),
      ingress('guest', `rules: [${rule('app.example.com', path('/guest', 'Prefix', 'guest'))}]`, ofDay(2, 'two')),
      ingress(
        'stranger',
        `rules: [${rule('app.example.com', path('/stranger', 'Prefix', 'stranger'))}]`,
        ofDay(2, 'three'),
      ),
      '\napiVersion: v1\nkind: Namespace\nmetadata: {name: two, labels: {team: guest}}\n',
      '\napiVersion: v1\nkind: Namespace\nmetadata: {name: three}\n',
    ].join('---'),
    ingressClass: sallyport(
      '{hostSharing: [{hosts: [app.example.com], namespaces: {selector: {matchLabels: {team: guest}}}}]}',
    ),
  }),
  (rig) => {
    test('has paths of the namespaces that it is shared with', async () => {
      assert.equal(await served(rig(), 'http://app.example.com/'), 'owner');
      assert.equal(await served(rig(), 'http://app.example.com/guest/x'), 'guest');
      assert.equal(await served(rig(), 'http://app.example.com/stranger'), 'owner');
    });
  },
);
