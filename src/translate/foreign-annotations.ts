// What the annotations of other controllers are called here, or why there is nothing like them: for whoever comes from there.
import type { Annotation, ReservedAnnotation } from './annotation-table.ts';

/** Ours, with a word about what differs; or, alone, why not and what to do instead. */
export interface Counterpart {
  readonly ours?: readonly (Annotation | ReservedAnnotation)[];
  readonly note?: string;
}

const is = (...ours: readonly (Annotation | ReservedAnnotation)[]): Counterpart => ({ ours });
const but = (note: string, ...ours: readonly (Annotation | ReservedAnnotation)[]): Counterpart => ({ ours, note });
const no = (note: string): Counterpart => ({ note });

const mcp = no('what an MCP client calls is not read: the MCP server decides about its tools');
const notHttp = no('HTTP alone is served');
const sharedSignIn = no('the authentication host signs people in once for all hosts');
const ldap = 'spec.oidc.programs of an IdentityProvider says which tokens of programs count';
const buffers = no('nothing is buffered: both ways stream');
const snippet = no('a piece of configuration in an annotation is a way around every rule: there is nothing like it');
const external = 'Sallyport signs people in itself';

/** Of the Pomerium Ingress Controller, all that it has (0.33). */
const pomerium = {
  allow_any_authenticated_user: but('`authenticated`', 'access'),
  allow_public_unauthenticated_access: but('`public`', 'access'),
  allowed_users: but('e-mail addresses; user ids in a Policy', 'allow-emails', 'policy'),
  allowed_domains: is('allow-domains'),
  allowed_groups: is('allow-groups'),
  allowed_idp_claims: but('`claim` in a Policy', 'policy'),
  policy: but('the name of a Policy object; `sallyport check` reads what Pomerium’s language becomes', 'policy'),
  name: no('there is no list of applications'),
  description: no('there is no list of applications'),
  logo_url: no('there is no list of applications'),
  depends_on: sharedSignIn,
  allow_spdy: but('`spdy/3.1`', 'upgrades'),
  allow_websockets: but('they are, by default', 'upgrades'),
  allow_upgrades: is('upgrades'),
  bearer_token_format: no(ldap),
  idp_access_token_allowed_audiences: no(ldap),
  circuit_breaker_thresholds: is('concurrency-limit'),
  outlier_detection: is('outlier-detection'),
  health_checks: is('health-check-path'),
  healthy_panic_threshold: no('an endpoint that fails is passed over, and tried where there is no other'),
  load_balancing_policy: is('load-balancing'),
  cors_allow_preflight: but('with it CORS is answered whole', 'cors-allow-origin'),
  enable_google_cloud_serverless_authentication: no('requests carry no identity token of Google’s'),
  host_rewrite: is('upstream-host'),
  host_rewrite_header: no('a client would choose the Host that the application gets'),
  host_path_regex_rewrite_pattern: no('the Host does not depend on the path: write an Ingress for each'),
  host_path_regex_rewrite_substitution: no('the Host does not depend on the path: write an Ingress for each'),
  preserve_host_header: but('the Host asked for is kept where this says nothing', 'upstream-host'),
  prefix_rewrite: is('rewrite-path'),
  regex_rewrite_pattern: but('it must match the whole path', 'rewrite-path-regex'),
  regex_rewrite_substitution: is('rewrite-path-substitution'),
  set_request_headers: but('without `${pomerium.…}`: identity headers come by themselves', 'set-request-headers'),
  set_response_headers: is('set-response-headers'),
  remove_request_headers: is('remove-request-headers'),
  rewrite_response_headers: but(
    'Location and Set-Cookie that name the application’s own address are put right by themselves',
    'set-response-headers',
  ),
  pass_identity_headers: no('applications are always told; spec.identityHeaders of the Sallyport object says how'),
  timeout: but('of the first byte: a long answer is not cut off', 'first-byte-timeout'),
  idle_timeout: is('idle-timeout'),
  tls_server_name: is('upstream-tls-server-name'),
  tls_skip_verify: is('upstream-tls-verify'),
  secure_upstream: but('or appProtocol of the Service’s port', 'upstream-protocol'),
  path_regex: no('a path is a path: name prefixes, and ask for httpPath in a Policy'),
  service_proxy_upstream: no('requests always go to endpoints'),
  ssh_upstream: notHttp,
  tcp_upstream: notHttp,
  udp_upstream: notHttp,
  subtle_allow_empty_host: no('a rule without a host needs no leave, and nobody can sign in there'),
  upstream_tunnel: no('applications are reached through their Service'),
  upstream_tunnel_ssh_policy: no('applications are reached through their Service'),
  tls_client_secret: is('upstream-client-certificate-secret'),
  tls_custom_ca_secret: is('upstream-ca-secret'),
  tls_downstream_client_ca_secret: no('no listener asks for client certificates yet'),
  kubernetes_service_account_token_secret: but(
    'with a key Authorization in an Opaque Secret; nobody is impersonated',
    'set-request-headers-secret',
  ),
  set_request_headers_secret: is('set-request-headers-secret'),
  set_response_headers_secret: is('set-response-headers-secret'),
  identity_provider_secret: but('a Policy names an IdentityProvider', 'policy'),
  mcp_server: mcp,
  mcp_client: mcp,
  mcp_server_path: mcp,
  mcp_server_max_request_bytes: mcp,
  mcp_server_upstream_oauth2_secret: mcp,
  mcp_server_upstream_oauth2_auth_url: mcp,
  mcp_server_upstream_oauth2_token_url: mcp,
  mcp_server_upstream_oauth2_scopes: mcp,
  mcp_server_upstream_oauth2_auth_style: mcp,
  mcp_server_upstream_oauth2_authorization_url_params: mcp,
  mcp_server_authorization_server_url: mcp,
} as const satisfies Record<string, Counterpart>;

/** Of ingress-nginx, those that are met most. */
const nginx = {
  'rewrite-target': but('`/` is `rewrite-path: /`; with groups it is a pattern', 'rewrite-path', 'rewrite-path-regex'),
  'use-regex': no('a path is a path, and rewrite-path-regex a pattern of its own'),
  'app-root': but('on an Ingress with the Exact path /', 'redirect'),
  'permanent-redirect': but('with `redirect-status`', 'redirect'),
  'permanent-redirect-code': is('redirect-status'),
  'temporal-redirect': is('redirect'),
  'from-to-www-redirect': but('on an Ingress for the other host', 'redirect'),
  'ssl-redirect': is('https-redirect'),
  'force-ssl-redirect': but('where the host has a certificate it is so by default', 'https-redirect'),
  'ssl-passthrough': no('what is encrypted past us cannot be judged'),
  'backend-protocol': but('or appProtocol of the Service’s port', 'upstream-protocol'),
  'proxy-ssl-verify': is('upstream-tls-verify'),
  'proxy-ssl-name': is('upstream-tls-server-name'),
  'proxy-ssl-secret': is('upstream-client-certificate-secret', 'upstream-ca-secret'),
  'upstream-vhost': is('upstream-host'),
  'service-upstream': no('requests always go to endpoints'),
  'proxy-connect-timeout': is('connect-timeout'),
  'proxy-read-timeout': but('before the answer begins, and between its parts', 'first-byte-timeout', 'idle-timeout'),
  'proxy-send-timeout': is('idle-timeout'),
  'proxy-body-size': is('max-body-size'),
  'proxy-buffering': buffers,
  'proxy-buffer-size': buffers,
  'proxy-buffers-number': buffers,
  'proxy-request-buffering': buffers,
  'client-body-buffer-size': buffers,
  'proxy-next-upstream': is('retry-on'),
  'proxy-next-upstream-tries': is('retries'),
  'custom-headers': is('set-response-headers'),
  'x-forwarded-prefix': but('`rewrite-path` sends X-Forwarded-Prefix by itself', 'rewrite-path'),
  'enable-cors': is('cors-allow-origin'),
  'cors-allow-origin': is('cors-allow-origin'),
  'cors-allow-methods': is('cors-allow-methods'),
  'cors-allow-headers': is('cors-allow-headers'),
  'cors-expose-headers': is('cors-expose-headers'),
  'cors-allow-credentials': is('cors-allow-credentials'),
  'cors-max-age': is('cors-max-age'),
  'auth-url': but(external, 'access', 'policy'),
  'auth-signin': but(external, 'access', 'policy'),
  'auth-response-headers': no(
    'identity headers come by themselves; spec.identityHeaders of the Sallyport object says how',
  ),
  'auth-snippet': snippet,
  'auth-type': but('there are no passwords here; people sign in', 'access', 'policy'),
  'auth-secret': but('there are no passwords here; people sign in', 'access', 'policy'),
  'auth-realm': but('there are no passwords here; people sign in', 'access', 'policy'),
  'auth-tls-secret': no('no listener asks for client certificates yet'),
  'whitelist-source-range': but('`sourceIp` in a Policy', 'policy'),
  'allowlist-source-range': but('`sourceIp` in a Policy', 'policy'),
  'denylist-source-range': but('`sourceIp` in a Policy', 'policy'),
  'limit-rps': is('rate-limit'),
  'limit-rpm': is('rate-limit'),
  'limit-connections': is('concurrency-limit'),
  affinity: is('sticky-sessions'),
  'session-cookie-name': is('sticky-sessions'),
  'load-balance': is('load-balancing'),
  'upstream-hash-by': is('load-balancing'),
  canary: is('canary-weight'),
  'canary-weight': is('canary-weight'),
  'canary-by-header': is('canary-header'),
  'canary-by-cookie': is('canary-cookie'),
  'mirror-target': is('mirror'),
  'server-alias': no('name each host in a rule of its own'),
  'default-backend': no('spec.defaultBackend of the Ingress answers where nothing else does'),
  'custom-http-errors': no('an application’s errors pass as they are'),
  'configuration-snippet': snippet,
  'server-snippet': snippet,
} as const satisfies Record<string, Counterpart>;

export interface ForeignVocabulary {
  readonly prefix: string;
  readonly controller: string;
  readonly annotations: Readonly<Record<string, Counterpart>>;
}

export const foreignVocabularies: readonly ForeignVocabulary[] = [
  { prefix: 'ingress.pomerium.io/', controller: 'Pomerium', annotations: pomerium },
  { prefix: 'nginx.ingress.kubernetes.io/', controller: 'ingress-nginx', annotations: nginx },
];

/** Whose an annotation is, and what it is here; undefined: nobody's that we know. */
export function foreign(name: string): { readonly controller: string; readonly here?: Counterpart } | undefined {
  const vocabulary = foreignVocabularies.find(({ prefix }) => name.startsWith(prefix));
  if (vocabulary === undefined) return undefined;
  const { controller, prefix, annotations } = vocabulary;
  const word = name.slice(prefix.length);
  return { controller, ...(Object.hasOwn(annotations, word) && { here: annotations[word] as Counterpart }) };
}
