// A feature of the conformance suite: objects, Sallyport on them, and scenarios; and the words that its Ingresses are made of.
import { after, before, describe } from 'node:test';
import { startConformanceRig } from './rig.ts';
import type { ConformanceRig, RigOptions } from './rig.ts';

export function feature(name: string, options: () => RigOptions, scenarios: (rig: () => ConformanceRig) => void): void {
  describe(name, () => {
    let rig: ConformanceRig;
    before(async () => {
      rig = await startConformanceRig(options());
    });
    after(() => rig?.stop());
    scenarios(() => rig);
  });
}

/** An Ingress of class `conformance`; `spec` and `metadata` in YAML's flow style. */
export function ingress(name: string, spec: string, metadata = 'namespace: conformance', className = 'conformance') {
  return `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ${name}, ${metadata}}
spec: {ingressClassName: ${className}, ${spec}}
`;
}

export const path = (at: string, pathType: string, service: string) =>
  `{path: ${at}, pathType: ${pathType}, backend: {service: {name: ${service}, port: {number: 8080}}}}`;
export const rule = (host: string, ...paths: readonly string[]) =>
  `{host: ${host}, http: {paths: [${paths.join(', ')}]}}`;
