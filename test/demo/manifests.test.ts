// The demo's manifests: valid, and of one piece with the demo's programs.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { demoAccounts } from '../../demo/accounts.ts';
import { demoClient } from '../../demo/provider.ts';
import { ownKinds } from '../../src/model/resources.ts';
import { collections, endpointSlice, ingressSpec, secretContent, serviceSpec } from '../../src/model/objects.ts';
import type { KubernetesObject } from '../../src/model/objects.ts';

const folder = new URL('../../demo/manifests/', import.meta.url);
const objects = readdirSync(folder).flatMap((file) =>
  parseAllDocuments(readFileSync(new URL(file, folder), 'utf8')).map((one) => {
    assert.deepEqual(one.errors, [], file);
    return one.toJS() as KubernetesObject;
  }),
);

function ofKind(kind: string): readonly KubernetesObject[] {
  const found = objects.filter((object) => object.kind === kind);
  assert.notEqual(found.length, 0, `there is no ${kind}`);
  return found;
}

function one(kind: string, name: string): KubernetesObject {
  const found = ofKind(kind).find((object) => object.metadata.name === name);
  assert(found !== undefined, `there is no ${kind} ${name}`);
  return found;
}

test('every object is of a kind that Sallyport reads, and says its version right', () => {
  for (const { apiVersion, kind } of objects) {
    const known = Object.values(collections).find((collection) => collection.kind === kind);
    assert.equal(apiVersion, [known?.group, known?.version].filter(Boolean).join('/'), kind);
  }
});

test("objects of Sallyport's own kinds are what their schemas ask for", () => {
  for (const own of ownKinds) {
    const { kind } = collections[own.collection];
    for (const object of objects.filter((one) => one.kind === kind)) own.spec.parse(object['spec']);
  }
});

test('every Ingress leads to a Service with an address that an application of the demo listens on', () => {
  const ports = new Set<number>();
  for (const ingress of ofKind('Ingress')) {
    const { rules = [], ingressClassName } = ingressSpec.parse(ingress['spec']);
    assert.equal(ingressClassName, 'sallyport');
    const backend = rules[0]?.http?.paths[0]?.backend.service;
    const service = serviceSpec.parse(one('Service', backend?.name ?? '')['spec']);
    assert(service.ports?.some((port) => port.name === backend?.port?.name));
    const slice = ofKind('EndpointSlice').find(
      ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === backend?.name,
    );
    const { endpoints, ports: slicePorts } = endpointSlice.parse(slice);
    assert.deepEqual(endpoints?.[0]?.addresses, ['127.0.0.1']);
    assert.equal(slicePorts?.[0]?.name, backend?.port?.name);
    ports.add(slicePorts?.[0]?.port ?? 0);
  }
  assert.deepEqual(ports, new Set([9501, 9502, 9503]));
});

test("the provider's client id and secret are those that the provider knows", () => {
  const { oidc } = one('IdentityProvider', 'demo')['spec'] as { oidc: Record<string, string> };
  const secret = secretContent.parse(one('Secret', 'demo-provider'));
  assert.equal(oidc['issuer'], 'http://localhost:9400');
  assert.equal(oidc['clientID'], demoClient.clientId);
  assert.equal(secret.stringData?.['clientSecret'], demoClient.clientSecret);
});

test("the engineers policy's tests speak of the people that the provider knows", () => {
  const { tests } = one('Policy', 'engineers')['spec'] as {
    tests: { as: { email: string; groups?: string[] } | null; expect: string }[];
  };
  for (const account of demoAccounts().values()) {
    const test = tests.find(({ as }) => as?.email === account.email);
    assert.deepEqual(test?.as?.groups ?? [], account.groups);
    assert.equal(test?.expect, account.name === 'Ana' ? 'Allow' : 'Deny');
  }
});
