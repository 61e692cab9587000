// The scenarios of kubernetes-sigs/ingress-controller-conformance over real sockets. It wants a cluster with pods and a status
// address; here the pods are processes of ours on the loopback, and the objects come from a folder.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCertificateAuthority, tlsSecret } from '../integration/certificates.ts';
import { feature, ingress, path, rule } from './feature.ts';

feature(
  'default backend',
  () => ({
    objects: ingress('default-backend', 'defaultBackend: {service: {name: echo-service, port: {number: 8080}}}'),
  }),
  (rig) => {
    for (const [method, host, at] of [
      ['GET', 'my-host', '/'],
      ['GET', 'my-host', '/sub-path'],
      ['POST', 'some-host', '/'],
      ['PUT', '', '/resource'],
      ['DELETE', 'some-host', '/resource'],
      ['PATCH', 'my-host', '/resource'],
    ] as const) {
      test(`an Ingress without rules sends every request to its default backend: ${method} http://${host}${at}`, async () => {
        const { status, proto, headers, echo } = await rig().ask(`http://${host}${at}`, { method });
        assert.equal(status, 200);
        assert.equal(proto, 'HTTP/1.1');
        for (const name of ['content-length', 'content-type', 'date', 'server']) assert.ok(headers[name], name);
        assert.equal(headers['content-type'], 'application/json');
        assert.equal(headers['transfer-encoding'], undefined);
        assert.equal(echo?.service, 'echo-service');
        assert.equal(echo.method, method);
        assert.equal(echo.path, at);
        assert.equal(echo.host, host === '' ? `127.0.0.1:${rig().port}` : host);
        assert.equal(echo.proto, 'HTTP/1.1');
        assert.deepEqual(echo.headers['User-Agent'], ['Go-http-client/1.1']);
      });
    }
  },
);

feature(
  'host rules',
  () => {
    const authority = createCertificateAuthority();
    const secret = tlsSecret('conformance', 'conformance-tls', authority.sign('foo.bar.com'));
    authority.close();
    const tls = 'tls: [{hosts: [foo.bar.com], secretName: conformance-tls}]';
    const named = '{path: /, pathType: Prefix, backend: {service: {name: foo-bar-com, port: {name: http}}}}';
    const rules = [rule('"*.foo.com"', path('/', 'Prefix', 'wildcard-foo-com')), rule('foo.bar.com', named)];
    return { objects: ingress('host-rules', `${tls}, rules: [${rules.join(', ')}]`) + secret };
  },
  (rig) => {
    test('https shows the certificate of the host, and keeps the host', async () => {
      const { status, echo, names } = await rig().ask('https://foo.bar.com/');
      assert.equal(names, 'DNS:foo.bar.com');
      assert.equal(status, 200);
      assert.equal(echo?.service, 'foo-bar-com');
      assert.equal(echo.host, 'foo.bar.com');
    });
    for (const [host, wanted] of [
      ['foo.bar.com', 'foo-bar-com'],
      ['subdomain.bar.com', 404],
      ['bar.foo.com', 'wildcard-foo-com'],
      ['baz.bar.foo.com', 404],
      ['foo.com', 404],
    ] as const) {
      test(`http://${host}/ is ${wanted}`, async () => {
        const { status, echo } = await rig().ask(`http://${host}/`);
        assert.equal(echo?.service ?? status, wanted);
        if (echo !== undefined) assert.equal(echo.host, host);
      });
    }
  },
);

feature(
  'ingress class',
  () => ({
    objects: [
      ingress(
        'of-no-class',
        `rules: [${rule('a.com', path('/', 'Prefix', 'echo'))}]`,
        undefined,
        'some-invalid-class-name',
      ),
      ingress('of-ours', `rules: [${rule('b.com', path('/', 'Prefix', 'echo'))}]`),
    ].join('---'),
  }),
  (rig) => {
    test('an Ingress of a class that is not ours is not served', async () => {
      assert.equal((await rig().ask('http://b.com/')).status, 200);
      assert.equal((await rig().ask('http://a.com/')).status, 404);
    });
  },
);

feature(
  'load balancing',
  () => ({
    objects: ingress('load-balancing', 'defaultBackend: {service: {name: echo-service, port: {number: 8080}}}'),
    pods: 10,
  }),
  (rig) => {
    test('a hundred requests one after the other reach all of ten pods', async () => {
      const pods = new Map<string, number>();
      for (let count = 0; count < 100; count += 1) {
        const { status, echo } = await rig().ask('http://load-balancing/');
        assert.equal(status, 200);
        pods.set(echo?.pod ?? '', (pods.get(echo?.pod ?? '') ?? 0) + 1);
      }
      assert.equal(pods.size, 10, [...pods].join('; '));
    });
  },
);

feature(
  'path rules',
  () => ({
    objects: ingress(
      'path-rules',
      `rules: [${[
        rule('exact-path-rules', path('/foo', 'Exact', 'foo-exact')),
        rule(
          'prefix-path-rules',
          path('/foo', 'Prefix', 'foo-prefix'),
          path('/aaa/bbb', 'Prefix', 'aaa-slash-bbb-prefix'),
          path('/aaa', 'Prefix', 'aaa-prefix'),
        ),
        rule('mixed-path-rules', path('/foo', 'Prefix', 'foo-prefix'), path('/foo', 'Exact', 'foo-exact')),
        rule(
          'trailing-slash-path-rules',
          path('/aaa/bbb/', 'Prefix', 'aaa-slash-bbb-slash-prefix'),
          path('/foo/', 'Exact', 'foo-slash-exact'),
        ),
      ].join(', ')}]`,
    ),
  }),
  (rig) => {
    for (const [url, wanted] of [
      ['exact-path-rules/foo', 'foo-exact'],
      ['exact-path-rules/foo/', 404],
      ['exact-path-rules/FOO', 404],
      ['exact-path-rules/bar', 404],
      ['prefix-path-rules/foo', 'foo-prefix'],
      ['prefix-path-rules/foo/', 'foo-prefix'],
      ['prefix-path-rules/FOO', 404],
      ['prefix-path-rules/aaa/bbb', 'aaa-slash-bbb-prefix'],
      ['prefix-path-rules/aaa/bbb/ccc', 'aaa-slash-bbb-prefix'],
      ['prefix-path-rules/aaa/ccc', 'aaa-prefix'],
      ['prefix-path-rules/aaaccc', 404],
      ['mixed-path-rules/foo', 'foo-exact'],
      ['trailing-slash-path-rules/aaa/bbb', 'aaa-slash-bbb-slash-prefix'],
      ['trailing-slash-path-rules/aaa/bbb/', 'aaa-slash-bbb-slash-prefix'],
      ['trailing-slash-path-rules/foo', 404],
    ] as const) {
      test(`http://${url} is ${wanted}`, async () => {
        const { status, echo } = await rig().ask(`http://${url}`);
        assert.equal(echo?.service ?? status, wanted);
      });
    }
  },
);
