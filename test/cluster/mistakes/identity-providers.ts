// Mistakes in an IdentityProvider.
import { mistake } from './mistake.ts';
import type { Mistake } from './mistake.ts';

const issuer = 'issuer: https://partners.example.com';
const oidc = (rest: string) => `oidc: {${issuer}, clientID: a${rest === '' ? '' : `, ${rest}`}}`;
const key = '{namespace: sallyport-system, name: partners, key: key.pem}';
const forBlog = `{${oidc('')}, allowedNamespaces: {selector: {matchLabels: {tier: open}}}}`;

const github = (rest: string) => `github: {clientID: a, clientSecretRef: ${key}${rest === '' ? '' : `, ${rest}`}}`;
const directory = (rest: string) => `{${oidc('')}, directory: {${rest}}}`;
const okta = `okta: {url: "https://partners.example.com", tokenSecretRef: ${key}}`;

export const identityProviderMistakes: readonly Mistake[] = [
  mistake('neither oidc nor github', '{}', oidc(''), /spec: .* either oidc or github is wanted/),
  mistake('no client id', `oidc: {${issuer}}`, oidc(''), /spec\.oidc\.clientID: Required value/),
  mistake('the client id misspelt', `oidc: {${issuer}, clientId: a}`, oidc(''), /spec\.oidc\.clientID: Required value/),
  mistake('no issuer', 'oidc: {clientID: a}', oidc(''), /spec\.oidc\.issuer: Required value/),
  mistake(
    'an issuer without its scheme',
    'oidc: {issuer: partners.example.com, clientID: a}',
    oidc(''),
    /spec\.oidc\.issuer.* an https URL without query or fragment is wanted/,
  ),
  mistake(
    'an issuer with a query',
    'oidc: {issuer: "https://partners.example.com?tenant=1", clientID: a}',
    oidc(''),
    /spec\.oidc\.issuer.* an https URL without query or fragment is wanted/,
  ),
  mistake(
    'the client secret itself',
    oidc('clientSecret: not-a-secret'),
    oidc(''),
    /spec\.oidc\.\(no field but .*clientSecretRef/,
  ),
  mistake(
    'a reference to a Secret without its namespace',
    oidc('clientSecretRef: {name: partners, key: clientSecret}'),
    oidc(''),
    /spec\.oidc\.clientSecretRef\.namespace: Required value/,
  ),
  mistake(
    'a reference to a Secret without its key',
    oidc('clientSecretRef: {namespace: sallyport-system, name: partners}'),
    oidc(''),
    /spec\.oidc\.clientSecretRef\.key: Required value/,
  ),
  mistake(
    'scopes without openid',
    oidc('scopes: [email, profile]'),
    oidc('scopes: [openid, email, profile]'),
    /spec\.oidc\.scopes.* the scope openid is needed/,
  ),
  mistake(
    'scopes as text',
    oidc('scopes: openid email'),
    oidc('scopes: [openid, email]'),
    /spec\.oidc\.scopes.* must be of type array/,
  ),
  mistake(
    'claims misspelt, so that another claim would name the groups',
    oidc('claim: {groups: roles}'),
    oidc('claims: {groups: roles}'),
    /spec\.oidc\.\(no field but .*claims/,
  ),
  mistake(
    'a claim misspelt, so that another claim would name the groups',
    oidc('claims: {group: roles}'),
    oidc('claims: {groups: roles}'),
    /spec\.oidc\.claims\.\(no field but user, userPath, email, emailPath, groups, groupsPath, groupsSeparator\)/,
  ),
  mistake(
    'the way to a claim with dots',
    oidc('claims: {groupsPath: realm_access.roles}'),
    oidc('claims: {groupsPath: [realm_access, roles]}'),
    /spec\.oidc\.claims\.groupsPath.* must be of type array/,
  ),
  mistake(
    'a client that signs without a key',
    oidc('clientAuthentication: {method: PrivateKeyJwt}'),
    oidc('clientAuthentication: {method: None}'),
    /spec\.oidc\.clientAuthentication.* PrivateKeyJwt needs either keySecretRef or certificateSecretRef/,
  ),
  mistake(
    'a client with a certificate that is not named',
    oidc(`clientAuthentication: {method: TlsClientAuth, keySecretRef: ${key}}`),
    oidc('clientAuthentication: {method: None}'),
    /spec\.oidc\.clientAuthentication.* TlsClientAuth needs certificateSecretRef/,
  ),
  mistake(
    'a client authentication by the name that it has in OAuth',
    oidc('clientAuthentication: {method: private_key_jwt}'),
    oidc('clientAuthentication: {method: None}'),
    /spec\.oidc\.clientAuthentication\.method.*"PrivateKeyJwt"/,
  ),
  mistake(
    'the key misspelt, so that the secret would be sent',
    oidc('clientAuthentication: {method: None, keyRef: {name: a}}'),
    oidc('clientAuthentication: {method: None}'),
    /spec\.oidc\.clientAuthentication\.\(no field but .*keySecretRef/,
  ),
  mistake(
    'a tenant by its domain',
    oidc('tenants: [contoso.onmicrosoft.com]'),
    oidc('tenants: [72f988bf-86f1-41af-91ab-2d7cd011db47]'),
    /spec\.oidc\.tenants.* a tenant id is wanted/,
  ),
  mistake(
    'authorizationParameters misspelt, so that every domain could sign in',
    oidc('authorisationParameters: {hd: example.com}'),
    oidc('authorizationParameters: {hd: example.com}'),
    /spec\.oidc\.\(no field but .*authorizationParameters/,
  ),
  mistake(
    'an authorization parameter that is a number',
    oidc('authorizationParameters: {max_age: 3600}'),
    oidc('authorizationParameters: {max_age: "3600"}'),
    /spec\.oidc\.authorizationParameters\.max_age.* must be of type string/,
  ),
  mistake(
    'a logout that there is not',
    oidc('logout: Global'),
    oidc('logout: Provider'),
    /spec\.oidc\.logout.*"Provider", "Local"/,
  ),
  mistake(
    'a boolean as text',
    oidc('insecureIssuer: "false"'),
    oidc('insecureIssuer: false'),
    /spec\.oidc\.insecureIssuer.* must be of type boolean/,
  ),
  mistake(
    'allowedNamespaces misspelt',
    forBlog.replace('allowedNamespaces', 'allowedNamespace'),
    forBlog,
    /unknown field "spec\.allowedNamespace"/,
  ),
  mistake(
    'allowedNamespaces without a selector',
    `{${oidc('')}, allowedNamespaces: {matchLabels: {tier: open}}}`,
    forBlog,
    /spec\.allowedNamespaces\.selector: Required value|unknown field "spec\.allowedNamespaces\.matchLabels"/,
  ),
  mistake(
    'matchLabels misspelt, so that everybody might name it',
    forBlog.replace('matchLabels', 'matchlabels'),
    forBlog,
    /spec\.allowedNamespaces\.selector\.\(no field but matchLabels, matchExpressions\)/,
  ),
  mistake(
    'organizations misspelt, so that all of GitHub could sign in',
    github('organisations: [acme]'),
    github('organizations: [acme]'),
    /spec\.github\.\(no field but .*organizations/,
  ),
  mistake('two providers in one', `{${oidc('')}, ${github('')}}`, oidc(''), /spec: .* either oidc or github is wanted/),
  mistake(
    'a directory that is asked too often',
    directory(`interval: 30s, ${okta}`),
    directory(`interval: 1m, ${okta}`),
    /spec\.directory\.interval.* a duration from 1m to 720h is wanted/,
  ),
  mistake(
    'two directories',
    directory(`${okta}, google: {serviceAccountSecretRef: ${key}}`),
    directory(okta),
    /spec\.directory: .* exactly one of google, entra, okta and github is wanted/,
  ),
  mistake(
    'a directory in the clear',
    directory(okta.replace('https', 'http')),
    directory(okta),
    /spec\.directory\.okta\.url.* the https address of the organization is wanted, without a path/,
  ),
  mistake(
    "GitHub's directory for another provider",
    directory(`github: {organizations: [acme], tokenSecretRef: ${key}}`),
    `{${github('')}, directory: {github: {organizations: [acme], tokenSecretRef: ${key}}}}`,
    /spec: .* directory\.github goes with github/,
  ),
];
