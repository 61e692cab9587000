// What a person with all rights in one namespace may try against a guardrail over it: what RBAC allows them, and what it does not.
import { ingress } from '../rig.ts';

export interface Attempt {
  readonly attempt: string;
  /** kubectl's; `apply -f -` where it is not told. */
  readonly args?: readonly string[];
  readonly yaml?: string;
}

const policy = (name: string, spec: string) => `
apiVersion: sallyport.dev/v1alpha1
kind: Policy
metadata: {name: ${name}, namespace: shop}
spec: {${spec}}
`;
const everybody = 'rules: [{allow: {or: [{accept: true}]}}]';
const everywhere = 'targetRefs: [{selector: {}}]';
const vault = (annotations: string, name = 'vault') => ingress(name, 'red', annotations);
const named = (name: string, spec: string) => `${vault(`sallyport.dev/policy: ${name}`)}---${policy(name, spec)}`;
const configMap = (name: string) => `
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, namespace: shop}
data: {people: "[eve@example.org]"}
`;
const elsewhere = (host: string, more = '', annotations = 'sallyport.dev/access: public') => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: second, namespace: shop, annotations: {${annotations}}}
spec:
  ingressClassName: sallyport
  rules:
    - ${host === '' ? '' : `host: "${host}"\n      `}http: {paths: [{path: ${more === '' ? '/' : more}, pathType: Prefix, backend: {service: {name: red, port: {name: http}}}}]}
`;

/** Each is accepted by the API server, and stays: they add up. */
export const withinHerRights: readonly Attempt[] = [
  { attempt: 'make her Ingress public', yaml: vault('sallyport.dev/access: public') },
  { attempt: 'allow the outsider by address', yaml: vault('sallyport.dev/allow-emails: eve@example.org') },
  { attempt: 'allow her domain', yaml: vault('sallyport.dev/allow-domains: example.org') },
  { attempt: 'name a policy that accepts everybody', yaml: named('open', everybody) },
  { attempt: 'have a policy target all of her namespace', yaml: policy('wide', `${everywhere}, ${everybody}`) },
  { attempt: 'name a policy as the guardrail is named', yaml: named('staff-only', everybody) },
  { attempt: 'put that in Audit', yaml: named('staff-only', `mode: Audit, ${everybody}`) },
  {
    attempt: 'put a refusal like that of the guardrail in Audit',
    yaml: `${vault('"sallyport.dev/policy": "open,trial"')}---${policy('trial', `mode: Audit, ${everywhere}, rules: [{name: staff, mode: Audit, deny: {or: [{reject: true}]}, allow: {or: [{accept: true}]}}]`)}`,
  },
  { attempt: 'ask for Audit by annotation', yaml: vault('sallyport.dev/access: public, sallyport.dev/mode: Audit') },
  {
    attempt: 'ask by annotation for no ClusterPolicy',
    yaml: vault('sallyport.dev/access: public, sallyport.dev/cluster-policy: none, sallyport.dev/enforcement: Default'),
  },
  {
    attempt: 'keep a list of the same name in her namespace',
    yaml: `${vault('sallyport.dev/access: public')}---${configMap('staff')}`,
  },
  {
    attempt: 'name that list in a policy of hers, by the name of the data set',
    yaml: named(
      'open',
      `dataSets: [{name: staff, configMapRef: {name: staff, key: people}}], rules: [{allow: {or: [{email: {inDataSet: staff}}]}}]`,
    ),
  },
  { attempt: 'break her policy', yaml: named('open', 'rules: [{allow: {or: [{cel: "user.email =="}]}}]') },
  {
    attempt: 'let her policy fail its own test',
    yaml: named('open', `${everybody}, tests: [{as: null, expect: Deny}]`),
  },
  { attempt: 'accept by CEL', yaml: named('open', 'rules: [{allow: {or: [{cel: "true"}]}}]') },
  {
    attempt: 'name a provider that does not allow her namespace',
    yaml: named('open', `identityProviderRef: {name: partners}, ${everybody}`),
  },
  {
    attempt: 'name a provider that there is not',
    yaml: named('open', `identityProviderRef: {name: mine}, ${everybody}`),
  },
  {
    attempt: 'have two policies of two providers',
    yaml: `${vault('"sallyport.dev/policy": "open,other"')}---${policy('other', `identityProviderRef: {name: demo}, ${everybody}`)}`,
  },
  { attempt: 'open a path of the host with a second Ingress', yaml: elsewhere('vault.localhost', '/open') },
  { attempt: 'open every host that nobody has', yaml: elsewhere('') },
  { attempt: 'open hosts below hers', yaml: elsewhere('*.localhost') },
  { attempt: 'take the authentication host', yaml: elsewhere('auth.localhost') },
  { attempt: 'open another host of hers', yaml: elsewhere('elsewhere.localhost') },
  {
    attempt: 'spell an annotation in other letters',
    yaml: vault('Sallyport.dev/Access: public, sallyport.dev/access: public'),
  },
  {
    attempt: 'keep a key ring of her own',
    yaml: `
apiVersion: v1
kind: Secret
metadata: {name: sallyport-keys, namespace: shop}
stringData: {keys.json: "[]"}
`,
  },
  { attempt: 'delete every policy that she has', args: ['delete', 'policies', '--all', '-n', 'shop'] },
  { attempt: 'leave her Ingress without a word', yaml: vault('') },
  {
    attempt: 'put a label on it like that of an open namespace',
    args: ['label', 'ingress', 'vault', 'tier=open', '-n', 'shop'],
  },
  { attempt: 'delete her Ingress', args: ['delete', 'ingress', 'vault', '-n', 'shop'] },
  { attempt: 'make it anew, and public', yaml: vault('sallyport.dev/access: public') },
];

const patch = (kind: string, name: string, change: string, ...more: readonly string[]) => [
  'patch',
  kind,
  name,
  '--type=merge',
  '-p',
  change,
  ...more,
];
const createdBy = (yaml: string) => ({ args: ['create', '-f', '-'], yaml });

export const beyondHerRights: readonly (Attempt & Required<Pick<Attempt, 'args'>>)[] = [
  { attempt: 'delete the guardrail', args: ['delete', 'clusterpolicy', 'staff-only'] },
  { attempt: 'put the guardrail in Audit', args: patch('clusterpolicy', 'staff-only', '{"spec":{"mode":"Audit"}}') },
  { attempt: 'make it a Default', args: patch('clusterpolicy', 'staff-only', '{"spec":{"enforcement":"Default"}}') },
  {
    attempt: 'write its status',
    args: patch('clusterpolicy', 'staff-only', '{"status":{"routes":0}}', '--subresource=status'),
  },
  { attempt: 'take the label from her namespace', args: ['label', 'namespace', 'shop', 'tier-'] },
  { attempt: 'delete her namespace', args: ['delete', 'namespace', 'shop', '--wait=false'] },
  {
    attempt: 'write the list that the guardrail reads',
    args: patch('configmap', 'staff', '{"data":{"people":"[eve@example.org]"}}', '-n', 'sallyport-system'),
  },
  { attempt: 'delete that list', args: ['delete', 'configmap', 'staff', '-n', 'sallyport-system'] },
  {
    attempt: 'have a provider allow her namespace',
    args: patch('identityprovider', 'partners', '{"spec":{"allowedNamespaces":{"selector":{}}}}'),
  },
  {
    attempt: 'change the default access',
    args: patch('sallyport', 'default', '{"spec":{"defaultAccess":"Authenticated"}}'),
  },
  {
    attempt: 'point the class at other settings',
    args: patch('ingressclass', 'sallyport', '{"spec":{"parameters":null}}'),
  },
  { attempt: 'read the key ring', args: ['get', 'secret', 'sallyport-keys', '-n', 'sallyport-system'] },
  {
    attempt: 'make a Default that accepts everybody',
    ...createdBy(`
apiVersion: sallyport.dev/v1alpha1
kind: ClusterPolicy
metadata: {name: open}
spec: {enforcement: Default, ${everybody}}
`),
  },
  {
    attempt: 'make a provider of her own',
    ...createdBy(`
apiVersion: sallyport.dev/v1alpha1
kind: IdentityProvider
metadata: {name: mine}
spec: {oidc: {issuer: "https://mine.example.com", clientID: a}}
`),
  },
  {
    attempt: 'make an Ingress in another namespace',
    ...createdBy(vault('sallyport.dev/access: public').replace('namespace: shop', 'namespace: blog')),
  },
  {
    attempt: 'make a Policy in another namespace',
    ...createdBy(policy('open', everybody).replace('namespace: shop', 'namespace: blog')),
  },
  {
    attempt: 'give herself more rights',
    args: ['create', 'rolebinding', 'more', '--clusterrole=cluster-admin', '--user=mallory', '-n', 'shop'],
  },
];
