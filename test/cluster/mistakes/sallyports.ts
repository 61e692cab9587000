// Mistakes in a Sallyport.
import { mistake } from './mistake.ts';
import type { Mistake } from './mistake.ts';

const wantedHost = /spec\.authenticationHost.* a lower-case host name is wanted/;
const right = 'authenticationHost: auth.example.com';
const withClaims = (claims: string) => `identityHeaders: {claims: ${claims}}`;

export const sallyportMistakes: readonly Mistake[] = [
  mistake('a host with a scheme', 'authenticationHost: https://auth.example.com', right, wantedHost),
  mistake('a host in upper case', 'authenticationHost: Auth.example.com', right, wantedHost),
  mistake('a host with a path', 'authenticationHost: auth.example.com/login', right, wantedHost),
  mistake('a host that is a wildcard', 'authenticationHost: "*.example.com"', right, wantedHost),
  mistake(
    'a duration without its unit',
    'timeouts: {firstByte: "60"}',
    'timeouts: {firstByte: 60s}',
    /spec\.timeouts\.firstByte.* a duration/,
  ),
  mistake(
    'a duration that is a number',
    'timeouts: {firstByte: 60}',
    'timeouts: {firstByte: 60s}',
    /spec\.timeouts\.firstByte.* must be of type string/,
  ),
  mistake(
    'a duration in days',
    'sessions: {lifetime: 1d}',
    'sessions: {lifetime: 24h}',
    /spec\.sessions\.lifetime.* a duration/,
  ),
  mistake(
    'a duration of nothing',
    'sessions: {lifetime: 0s}',
    'sessions: {lifetime: 1s}',
    /spec\.sessions\.lifetime.* a duration above zero/,
  ),
  mistake(
    'a duration of a year',
    'sessions: {lifetime: 8760h}',
    'sessions: {lifetime: 720h}',
    /spec\.sessions\.lifetime.* at most 720h/,
  ),
  mistake(
    'the lifetime of sessions misspelt, so that they would live for longer',
    'sessions: {lifeTime: 1h}',
    'sessions: {lifetime: 1h}',
    /spec\.sessions\.\(no field but .*lifetime/,
  ),
  mistake(
    'a store that there is not',
    'sessions: {store: {type: Postgres}}',
    'sessions: {store: {type: Memory}}',
    /spec\.sessions\.store\.type.*"Memory", "Secret", "Redis"/,
  ),
  mistake(
    'a SameSite in lower case',
    'cookie: {sameSite: strict}',
    'cookie: {sameSite: Strict}',
    /spec\.cookie\.sameSite.*"Lax", "Strict", "None"/,
  ),
  mistake(
    'SameSite misspelt, so that it would be Lax',
    'cookie: {samesite: Strict}',
    'cookie: {sameSite: Strict}',
    /spec\.cookie\.\(no field but name, sameSite\)/,
  ),
  mistake(
    'a cookie with attributes in its name',
    'cookie: {name: "gate; Domain=example.com"}',
    'cookie: {name: gate}',
    /spec\.cookie\.name.* letters, digits, - and _ are wanted/,
  ),
  mistake(
    'a header with a space in its name',
    withClaims('{X Team: team}'),
    withClaims('{X-Team: team}'),
    /spec\.identityHeaders\.claims.* header names are wanted/,
  ),
  mistake(
    'a header of an empty claim',
    withClaims('{X-Team: ""}'),
    withClaims('{X-Team: team}'),
    /spec\.identityHeaders\.claims\.X-Team.* at least 1 char/,
  ),
  mistake(
    'an assertion for every minute',
    'identityHeaders: {assertion: PerMinute}',
    'identityHeaders: {assertion: PerRequest}',
    /spec\.identityHeaders\.assertion.*"Shared", "PerRequest"/,
  ),
  mistake(
    'a preset that there is not',
    'identityHeaders: {preset: oauth2-proxy}',
    'identityHeaders: {preset: OAuth2Proxy}',
    /spec\.identityHeaders\.preset.*"OAuth2Proxy"/,
  ),
  mistake(
    'an access that there is not',
    'defaultAccess: Allow',
    'defaultAccess: Deny',
    /spec\.defaultAccess.*"Deny", "Authenticated"/,
  ),
  mistake('defaultAccess misspelt', 'defaultAcces: Deny', 'defaultAccess: Deny', /unknown field "spec\.defaultAcces"/),
  mistake(
    'a trusted proxy by name',
    'trustedProxies: [balancer.example.com]',
    'trustedProxies: []',
    /spec\.trustedProxies\[0\].* an address or a CIDR is wanted/,
  ),
  mistake(
    'trusted proxies as text',
    'trustedProxies: 10.0.0.0/8',
    'trustedProxies: [10.0.0.0/8]',
    /spec\.trustedProxies.* must be of type array/,
  ),
  mistake(
    'trusted proxies misspelt',
    'trustedProxy: [10.0.0.0/8]',
    'trustedProxies: [10.0.0.0/8]',
    /unknown field "spec\.trustedProxy"/,
  ),
  mistake(
    'a reference to a provider without its name',
    'defaultIdentityProviderRef: {}',
    'defaultIdentityProviderRef: {name: okta}',
    /spec\.defaultIdentityProviderRef\.name: Required value/,
  ),
  mistake(
    'sessions misspelt, so that they would live for longer',
    'session: {lifetime: 1h}',
    'sessions: {lifetime: 1h}',
    /unknown field "spec\.session"/,
  ),
  mistake('timeouts misspelt', 'timeout: {idle: 1m}', 'timeouts: {idle: 1m}', /unknown field "spec\.timeout"/),
  mistake(
    'the authentication host misspelt, so that each host would sign in for itself',
    'authHost: auth.example.com',
    right,
    /unknown field "spec\.authHost"/,
  ),
  mistake(
    'TLS to applications asked for in another word',
    'upstream: {tls: Always}',
    'upstream: {tls: Required}',
    /spec\.upstream\.tls: Unsupported value: "Always"/,
  ),
  mistake(
    'TLS to applications misspelt, so that plain text would do',
    'upstream: {requireTls: true}',
    'upstream: {tls: Required}',
    /spec\.upstream\.\(no field but tls, caSecretRef, clientCertificateSecretRef, externalNames\)/,
  ),
  mistake(
    'an external name with a scheme',
    'upstream: {externalNames: ["https://api.example.com"]}',
    'upstream: {externalNames: [api.example.com]}',
    /spec\.upstream\.externalNames\[0\].* a lower-case host name is wanted/,
  ),
  mistake(
    'every name there is for an external name',
    'upstream: {externalNames: ["*"]}',
    'upstream: {externalNames: ["*.example.com"]}',
    /spec\.upstream\.externalNames\[0\].* a lower-case host name is wanted/,
  ),
  mistake(
    'a version of TLS as a number',
    'tls: {minVersion: 1.3}',
    'tls: {minVersion: "1.3"}',
    /spec\.tls\.minVersion/,
  ),
  mistake(
    'a version of TLS that is gone',
    'tls: {minVersion: "1.1"}',
    'tls: {minVersion: "1.2"}',
    /spec\.tls\.minVersion/,
  ),
  mistake(
    'a cipher without forward secrecy',
    'tls: {ciphers: [AES128-GCM-SHA256]}',
    'tls: {ciphers: [ECDHE-RSA-AES128-GCM-SHA256]}',
    /spec\.tls\.ciphers\[0\]/,
  ),
  mistake(
    'a field of TLS that is none',
    'tls: {minimum: "1.3"}',
    'tls: {minVersion: "1.3"}',
    /spec\.tls\.\(no field but minVersion, ciphers\)/,
  ),
];
