// The objects that all replicas of a test serve: one application for whoever is signed in, one provider, one key ring, one store.
import { createKeyRing, serializeKeyRing } from '../../src/auth/keys.ts';
import type { EchoApplication } from './application.ts';
import { clientId } from './provider.ts';

export interface Terms {
  readonly issuer: string;
  readonly application: EchoApplication;
  /** Of the replica where people sign in. */
  readonly port: number;
  /** The Sallyport's `sessions`, in YAML's flow style. */
  readonly sessions: string;
}

export function objects({ issuer, application, port, sessions }: Terms): string {
  const keys = JSON.stringify(serializeKeyRing(createKeyRing()));
  return `apiVersion: v1
kind: Namespace
metadata: {name: sallyport-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Secret
metadata: {name: sallyport-keys, namespace: sallyport-system}
stringData: {keys.json: ${keys}}
---
apiVersion: v1
kind: Secret
metadata: {name: provider, namespace: sallyport-system}
stringData: {clientSecret: of-a-test}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sallyport}
spec:
  controller: sallyport.dev/ingress-controller
  parameters: {apiGroup: sallyport.dev, kind: Sallyport, name: default}
---
apiVersion: sallyport.dev/v1alpha1
kind: Sallyport
metadata: {name: default}
spec:
  authenticationHost: auth.localhost:${port}
  defaultIdentityProviderRef: {name: counting}
  sessions: ${sessions}
---
apiVersion: sallyport.dev/v1alpha1
kind: IdentityProvider
metadata: {name: counting}
spec:
  oidc:
    issuer: ${issuer}
    clientID: ${clientId}
    clientSecretRef: {namespace: sallyport-system, name: provider, key: clientSecret}
---
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: shop}
spec: {ports: [{name: http, port: 80, targetPort: ${application.port}}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: echo-1, namespace: shop, labels: {kubernetes.io/service-name: echo}}
addressType: IPv4
ports: [{name: http, port: ${application.port}}]
endpoints: [{addresses: [${application.address}]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: app, namespace: shop, annotations: {sallyport.dev/access: authenticated}}
spec:
  ingressClassName: sallyport
  rules:
    - host: app.localhost
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: echo, port: {name: http}}}}]}
`;
}
