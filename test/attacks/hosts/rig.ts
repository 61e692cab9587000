// A class that shares shared.example.com, of which `shop` is the owner and `blog` the guest, and what is served of their Ingresses.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RouteTable } from '../../../src/model/route.ts';
import { emptyTable } from '../../../src/model/route.ts';
import { translate } from '../../../src/translate/translate.ts';
import type { Translation } from '../../../src/translate/translate.ts';
import { inventoryFrom, objectsOf } from '../../translate/inventory.ts';

export const shared = 'shared.example.com';

const surroundings = readFileSync(join(import.meta.dirname, '../../translate/cluster.yaml'), 'utf8');
const sharing = `
---
apiVersion: sallyport.dev/v1alpha1
kind: Sallyport
metadata: {name: default}
spec:
  authenticationHost: auth.example.com
  defaultIdentityProviderRef: {name: okta}
  sessions: {store: {type: Memory}}
  hostSharing: [{hosts: [${shared}], namespaces: {selector: {matchLabels: {tier: open}}}}]
`;
const around = objectsOf(`${surroundings}${sharing}`);

export interface WrittenIngress {
  readonly name?: string;
  readonly namespace: 'shop' | 'blog';
  readonly host?: string;
  /** `=/a` is Exact. */
  readonly paths: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly tlsSecret?: string;
  /** Of January. */
  readonly day: number;
}

/** As YAML reads JSON. */
export function ingress({
  name = 'app',
  namespace,
  host = shared,
  paths,
  annotations = { 'sallyport.dev/access': 'authenticated' },
  tlsSecret,
  day,
}: WrittenIngress): string {
  const service = { name: namespace === 'shop' ? 'app' : 'posts', port: { number: 80 } };
  const creationTimestamp = `2026-01-0${day}T00:00:00Z`;
  return JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace, creationTimestamp, annotations },
    spec: {
      ingressClassName: 'sallyport',
      ...(tlsSecret !== undefined && { tls: [{ hosts: [host], secretName: tlsSecret }] }),
      rules: [
        {
          host,
          http: {
            paths: paths.map((path) => ({
              path: path.replace(/^=/, ''),
              pathType: path.startsWith('=') ? 'Exact' : 'Prefix',
              backend: { service },
            })),
          },
        },
      ],
    },
  });
}

export function translated(...objects: readonly string[]): Translation {
  const options = { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: false };
  const inventory = inventoryFrom([...around, ...objectsOf(objects.join('\n---\n'))]);
  return translate(inventory, options, Date.parse('2027-01-01'));
}

export function tableOf({ settings, hosts }: Translation): RouteTable {
  return { ...emptyTable(settings), hosts };
}
