// Mistakes in a ClusterPolicy, beyond those that it shares with a Policy.
import { mistake } from './mistake.ts';
import type { Mistake } from './mistake.ts';

const everybody = 'rules: [{allow: {and: [{authenticatedUser: true}]}}]';
const staff = 'rules: [{deny: {not: [{email: {endsWith: "@example.com"}}]}}]';
const selecting = (selector: string) => `{enforcement: Default, namespaceSelector: ${selector}, ${everybody}}`;
const blog = selecting('{matchLabels: {tier: open}}');

export const clusterPolicyMistakes: readonly Mistake[] = [
  mistake('no enforcement', staff, `{enforcement: Mandatory, ${staff}}`, /spec\.enforcement: Required value/),
  mistake(
    'enforcement misspelt',
    `{enforcment: Mandatory, ${staff}}`,
    `{enforcement: Mandatory, ${staff}}`,
    /spec\.enforcement: Required value/,
  ),
  mistake(
    'enforcement in lower case',
    `{enforcement: mandatory, ${staff}}`,
    `{enforcement: Mandatory, ${staff}}`,
    /spec\.enforcement.*"Mandatory", "Default"/,
  ),
  mistake(
    'the selector misspelt, so that a Default would grant everywhere',
    `{enforcement: Default, namespaceSelectors: {matchLabels: {tier: open}}, ${everybody}}`,
    blog,
    /spec\.\(no field but .*namespaceSelector/,
  ),
  mistake(
    'targetRefs, which are for a Policy',
    `{enforcement: Mandatory, targetRefs: [{name: app}], ${staff}}`,
    `{enforcement: Mandatory, ${staff}}`,
    /spec\.\(no field but .*namespaceSelector/,
  ),
  mistake(
    'labels without matchLabels, so that everything would be selected',
    selecting('{tier: open}'),
    blog,
    /spec\.namespaceSelector\.\(no field but matchLabels, matchExpressions\)/,
  ),
  mistake(
    'matchLabels misspelt, so that everything would be selected',
    selecting('{matchLabel: {tier: open}}'),
    blog,
    /spec\.namespaceSelector\.\(no field but matchLabels, matchExpressions\)/,
  ),
  mistake(
    'matchLabels misspelt beside matchExpressions',
    selecting('{matchlabels: {tier: open}, matchExpressions: [{key: tier, operator: Exists}]}'),
    blog,
    /spec\.namespaceSelector\.\(no field but matchLabels, matchExpressions\)/,
  ),
  mistake(
    'a data set without its namespace',
    `{enforcement: Mandatory, dataSets: [{name: gone, configMapRef: {name: people}}], ${staff}}`,
    `{enforcement: Mandatory, dataSets: [{name: gone, configMapRef: {namespace: default, name: people}}], ${staff}}`,
    /spec\.dataSets\[0\]\.configMapRef\.namespace: Required value/,
  ),
  mistake(
    'a provider, which is for a Policy',
    `{enforcement: Mandatory, identityProviderRef: {name: okta}, ${staff}}`,
    `{enforcement: Mandatory, ${staff}}`,
    /spec\.\(no field but .*namespaceSelector/,
  ),
  mistake(
    'a label that is a boolean',
    selecting('{matchLabels: {open: true}}'),
    selecting('{matchLabels: {open: "true"}}'),
    /spec\.namespaceSelector\.matchLabels\.open.* must be of type string/,
  ),
  mistake(
    'In without values',
    selecting('{matchExpressions: [{key: tier, operator: In}]}'),
    blog,
    /spec\.namespaceSelector\.matchExpressions\[0\].* In and NotIn need values/,
  ),
  mistake(
    'values misspelt',
    selecting('{matchExpressions: [{key: tier, operator: NotIn, valeus: [internal]}]}'),
    blog,
    /unknown field "spec\.namespaceSelector\.matchExpressions\[0\]\.valeus"/,
  ),
  mistake(
    'Exists with values',
    selecting('{matchExpressions: [{key: tier, operator: Exists, values: [open]}]}'),
    blog,
    /spec\.namespaceSelector\.matchExpressions\[0\].* Exists and DoesNotExist take none/,
  ),
  mistake(
    'an operator that there is not',
    selecting('{matchExpressions: [{key: tier, operator: Equals, values: [open]}]}'),
    blog,
    /spec\.namespaceSelector\.matchExpressions\[0\]\.operator.*"In", "NotIn", "Exists", "DoesNotExist"/,
  ),
];
