// What docs/traffic.md says of redirects and rewrites, and docs/annotations.md of other controllers', against the code itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyTable } from '../../src/model/route.ts';
import type { Route } from '../../src/model/route.ts';
import { defaultClassSettings } from '../../src/model/settings.ts';
import { redirectLocation } from '../../src/proxy/redirect.ts';
import type { CanonicalRequest } from '../../src/proxy/request.ts';
import { sentHost, sentTarget } from '../../src/proxy/rewrite.ts';
import { annotations, reservedAnnotations } from '../../src/translate/annotation-table.ts';
import { foreignVocabularies } from '../../src/translate/foreign-annotations.ts';
import { translate } from '../../src/translate/translate.ts';
import { inventoryOf } from '../translate/inventory.ts';
import { blocksOf, readPage } from './pages.ts';

const page = 'docs/traffic.md';
const surroundings = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sallyport}
spec: {controller: sallyport.dev/ingress-controller}
`;

/** The one route of an Ingress, as a table has it. */
function routeOf(text: string): Route {
  const options = { className: 'sallyport', installationNamespace: 'sallyport-system', fromFolder: true };
  const { hosts } = translate(inventoryOf(`${surroundings}---\n${text}`), options, 0);
  const [route] = [...hosts.values()].flatMap(({ routes }) => routes);
  assert.ok(route);
  return route;
}

const exampleNamed = (name: string): string => {
  const found = blocksOf(page).find(({ language, text }) => language === 'yaml' && text.includes(`name: ${name}\n`));
  return found?.text ?? assert.fail(`there is no example ${name}`);
};

test('its redirects lead where its table says', () => {
  const rows = [...readPage(page).matchAll(/^\| `([^`]+)` \| `([^`]+)`/gm)].filter(
    ([, target]) => target !== 'redirect',
  );
  assert.equal(rows.length, 5);
  const asked = { scheme: 'https', host: 'old.example.com', path: '/manual/a', query: '?x=1' } as CanonicalRequest;
  for (const [, target = '', wanted = ''] of rows) {
    const route = routeOf(exampleNamed('old').replace('https://new.example.com/docs/*', target));
    assert.ok(route.redirect, target);
    const location = redirectLocation(emptyTable(defaultClassSettings), route, route.redirect, asked);
    assert.equal(location, wanted.startsWith('/') ? `https://old.example.com${wanted}` : wanted);
  }
});

test('its rewrites make what it says', () => {
  const shop = routeOf(exampleNamed('shop'));
  assert.deepEqual(sentTarget(shop, { path: '/shop/cart', query: '?id=7' }), { path: '/cart', query: '?id=7' });
  const upstream = { name: 'shop/shop:80', protocol: 'http', endpoints: [{ address: '10.0.0.1', port: 80 }] } as const;
  assert.equal(sentHost({ ...shop, upstream }, { authority: 'example.com' } as CanonicalRequest), 'shop.shop.svc');
  const api = routeOf(exampleNamed('api'));
  assert.deepEqual(sentTarget(api, { path: '/api/v2/carts/7', query: '' }), { path: '/carts/7/v2', query: '' });
});

test('its headers and waits are read without a fault', () => {
  const wiki = routeOf(exampleNamed('wiki'));
  assert.equal(wiki.denied, undefined);
  assert.deepEqual(
    wiki.requestHeaders?.set.map(([name]) => name),
    ['X-Tenant', 'X-Read-Only', 'Authorization'],
  );
  assert.equal(routeOf(exampleNamed('billing')).maintenance?.retryAfterSeconds, 3600);
});

/** Those of the Pomerium Ingress Controller 0.33 (pomerium/ingress_annotations.go). */
const pomerium =
  `allow_any_authenticated_user allow_public_unauthenticated_access allow_spdy allow_upgrades allow_websockets
  allowed_domains allowed_groups allowed_idp_claims allowed_users bearer_token_format circuit_breaker_thresholds
  cors_allow_preflight depends_on description enable_google_cloud_serverless_authentication health_checks
  healthy_panic_threshold host_path_regex_rewrite_pattern host_path_regex_rewrite_substitution host_rewrite
  host_rewrite_header identity_provider_secret idle_timeout idp_access_token_allowed_audiences
  kubernetes_service_account_token_secret load_balancing_policy logo_url mcp_client mcp_server
  mcp_server_authorization_server_url mcp_server_max_request_bytes mcp_server_path mcp_server_upstream_oauth2_auth_style
  mcp_server_upstream_oauth2_auth_url mcp_server_upstream_oauth2_authorization_url_params
  mcp_server_upstream_oauth2_scopes mcp_server_upstream_oauth2_secret mcp_server_upstream_oauth2_token_url name
  outlier_detection pass_identity_headers path_regex policy prefix_rewrite preserve_host_header regex_rewrite_pattern
  regex_rewrite_substitution remove_request_headers rewrite_response_headers secure_upstream service_proxy_upstream
  set_request_headers set_request_headers_secret set_response_headers set_response_headers_secret ssh_upstream
  subtle_allow_empty_host tcp_upstream timeout tls_client_secret tls_custom_ca_secret tls_downstream_client_ca_secret
  tls_server_name tls_skip_verify udp_upstream upstream_tunnel upstream_tunnel_ssh_policy`.split(/\s+/);

test('every annotation of Pomerium’s has a counterpart, or a word why not', () => {
  const found = foreignVocabularies.find(({ controller }) => controller === 'Pomerium');
  assert.deepEqual(Object.keys(found?.annotations ?? {}).toSorted(), pomerium);
});

test('each counterpart is one of ours, and the page has them all', () => {
  const reference = readPage('docs/annotations.md');
  const isOurs = (name: string) => Object.hasOwn(annotations, name) || Object.hasOwn(reservedAnnotations, name);
  for (const { controller, annotations: theirs } of foreignVocabularies) {
    for (const [name, { ours = [], note }] of Object.entries(theirs)) {
      assert.ok(ours.length > 0 || note !== undefined, name);
      assert.deepEqual(
        ours.filter((one) => !isOurs(one)),
        [],
        name,
      );
      assert.ok(reference.split(`## From ${controller}`)[1]?.includes(`| \`${name}\` | `), name);
    }
  }
});

test('no name is both kept for later and there already', () => {
  assert.deepEqual(
    Object.keys(reservedAnnotations).filter((name) => Object.hasOwn(annotations, name)),
    [],
  );
});
