// Who gets in where, with one object of ours among Ingresses that it may govern: what a mistake must not widen.
import type { Identity } from '../../../src/model/identity.ts';
import type { KubernetesObject } from '../../../src/model/objects.ts';
import { evaluate } from '../../../src/policy/evaluate.ts';
import { factsOfTest } from '../../../src/policy/test-facts.ts';
import { translate } from '../../../src/translate/translate.ts';
import type { Translation } from '../../../src/translate/translate.ts';
import { inventoryFrom, objectsOf } from '../../translate/inventory.ts';

const ingress = (name: string, namespace: string, annotation: string) => `
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ${name}, namespace: ${namespace}, annotations: {${annotation}}}
spec:
  ingressClassName: sallyport
  rules:
    - host: ${name}.${namespace}.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: app, port: {number: 80}}}}]}
`;

const namedPartners = (namespace: string) => `
---
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: partners, namespace: ${namespace}}
spec: {identityProviderRef: {name: subject}, rules: [{allow: {and: [{authenticatedUser: true}]}}]}
${ingress('partners', namespace, 'sallyport.dev/policy: partners')}`;

// `chosen` names the Policy; `guarded` lets everybody in who is signed in, unless a Policy attaches itself; `plain` has
// nothing, and what a ClusterPolicy or the class says counts there.
const surroundings = objectsOf(`
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sallyport}
spec:
  controller: sallyport.dev/ingress-controller
  parameters: {apiGroup: sallyport.dev, kind: Sallyport, name: subject}
---
apiVersion: sallyport.dev/v1alpha1
kind: Sallyport
metadata: {name: subject}
spec: {defaultIdentityProviderRef: {name: okta}}
---
apiVersion: sallyport.dev/v1alpha1
kind: IdentityProvider
metadata: {name: okta}
spec: {oidc: {issuer: https://example.okta.com, clientID: a}}
---
apiVersion: sallyport.dev/v1alpha1
kind: IdentityProvider
metadata: {name: partners}
spec: {oidc: {issuer: https://partners.example.com, clientID: a}, allowedNamespaces: {selector: {}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: default, labels: {tier: internal}}
---
apiVersion: v1
kind: Namespace
metadata: {name: blog, labels: {tier: open}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: people, namespace: default, annotations: {sallyport.dev/refreshed-at: "2026-11-30T23:30:00Z"}}
data: {people: "[bob@example.com]"}
${ingress('chosen', 'default', 'sallyport.dev/policy: subject')}
${ingress('guarded', 'default', 'sallyport.dev/access: authenticated')}
${ingress('plain', 'default', '')}
${ingress('plain', 'blog', '')}
${namedPartners('default')}
${namedPartners('blog')}`);

const options = { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: false };

function translated(object: KubernetesObject): Translation {
  return translate(inventoryFrom([...surroundings, object]), options, Date.UTC(2026, 11, 1));
}

const person = (email: string, groups: readonly string[], team: string): Identity => ({
  user: email,
  email,
  groups,
  claims: { team: [team] },
});
const people: readonly (Identity | undefined)[] = [
  undefined,
  person('ana@example.com', ['engineering'], 'red'),
  person('bob@example.com', ['staff'], 'blue'),
  person('cem@example.com', ['engineering', 'contractors'], 'contractors'),
  { ...person('dot@partners.example', ['engineering'], ''), claims: { team: ['red', 'contractors'] } },
  person('eve@example.org', [], ''),
];
const requests = [factsOfTest({}), factsOfTest({ request: { method: 'DELETE', path: '/d/1', ip: '10.0.0.7' } })];

/** Every person, from every provider, with every request: those that are let in, as text. */
export function admitted(object: KubernetesObject): ReadonlySet<string> {
  const found = new Set<string>();
  const routes = [...translated(object).hosts.values()].flatMap((host) => host.routes);
  for (const { id, access, providers, denied } of routes) {
    if (denied !== undefined) continue;
    for (const from of ['okta', 'partners', 'subject']) {
      for (const identity of people) {
        for (const request of requests) {
          // A session of another provider counts for nothing (model/identity).
          const { decision } = evaluate(access, {
            ...request,
            ...(identity && providers.includes(from) && { identity }),
          });
          const who = `${identity?.email ?? 'nobody'} of ${from}`;
          if (decision === 'Allow') found.add(`${who}: ${request.method} ${request.path} on ${id}`);
        }
      }
    }
  }
  return found;
}

/** What else the object decides: the settings of the class, and of the provider where it is usable. */
export function settingsOf(object: KubernetesObject): unknown {
  const { authority, settings } = translated(object);
  return [settings, authority.providers.find(({ name }) => name === 'subject')];
}

/** What the conditions of its status say that is wrong. */
export function conditionsOf(object: KubernetesObject): readonly string[] {
  const found = translated(object).statuses.find(
    ({ object: { kind, name } }) => kind === object.kind && name === 'subject',
  );
  return (found?.status.conditions ?? []).flatMap(({ status, message }) => (status === 'True' ? [] : [message]));
}
