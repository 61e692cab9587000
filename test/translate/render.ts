// A translation as a person would write it down: the form of every expected.yaml.
import { isDeepStrictEqual } from 'node:util';
import { describeReference } from '../../src/model/diagnostic.ts';
import type { Status } from '../../src/model/kinds.ts';
import type { AttachedPolicy, DataSet } from '../../src/model/policy.ts';
import type { HostRoutes, Route, Upstream, UpstreamTls } from '../../src/model/route.ts';
import type { ProviderSettings } from '../../src/model/settings.ts';
import type { Translation } from '../../src/translate/translate.ts';

/**
 * Hosts, diagnostics and references whole; settings, providers and statuses where they are not those of `usual`, the
 * translation of the surroundings alone. Secrets read `[redacted]`.
 */
export function renderTranslation(translation: Translation, usual: Translation): Readonly<Record<string, unknown>> {
  const rendered = {
    hosts: Object.fromEntries([...translation.hosts].map(([host, routes]) => [host, renderHost(routes)])),
    settings: differing({ ...translation.settings }, { ...usual.settings }),
    defaultCertificate: translation.defaultCertificate?.name,
    providers: differing(byName(translation), byName(usual)),
    store: differing({ ...translation.authority.store }, { ...usual.authority.store }),
    keyRing: translation.authority.keyRing?.map(({ id }) => id),
    diagnostics: translation.diagnostics.map(({ code, severity, object, path, message }) => ({
      [`${severity} ${code}`]: path === '' ? describeReference(object) : `${describeReference(object)} ${path}`,
      message,
    })),
    statuses: differing(statusesOf(translation), statusesOf(usual)),
    secrets: [...translation.references.secrets].filter((key) => !usual.references.secrets.has(key)),
    configMaps: translation.references.configMaps.size > 0 ? [...translation.references.configMaps] : undefined,
    isPending: translation.isPending ? true : undefined,
  };
  // JSON first: what is redacted is printed so, and what is undefined is left out.
  return JSON.parse(JSON.stringify(rendered)) as Record<string, unknown>;
}

function renderHost(host: HostRoutes) {
  const { routes, certificate, solvers, solversOnly, httpsRedirect, strictTransport } = host;
  return {
    certificate: certificate?.name,
    routes: routes.map(renderRoute),
    solvers: solvers && Object.fromEntries(solvers.map(({ path, upstream }) => [path, renderUpstream(upstream)])),
    solversOnly,
    httpsRedirect,
    strictTransport,
  };
}

function renderRoute(route: Route) {
  const { path, match, ingress, upstream, access, providers, workloads, denied, cors } = route;
  const { rewrite, requestHeaders, responseHeaders, redirect, maintenance, timeouts, upgrades } = route;
  return {
    [match]: path,
    of: `${ingress.namespace}/${ingress.name}`,
    to: upstream === undefined ? 'nothing' : renderUpstream(upstream),
    access: access.policies.map(renderPolicy),
    providers,
    workloads,
    denied,
    cors,
    rewrite,
    requestHeaders,
    responseHeaders,
    redirect,
    maintenance,
    timeouts,
    upgrades,
  };
}

function renderUpstream(upstream: Upstream): string {
  const { name, protocol, endpoints } = upstream;
  const addresses = endpoints
    .map(({ address, port, draining }) => `${address}:${port}${draining === true ? ' (draining)' : ''}`)
    .join(' ');
  const proven = upstream.protocol === 'https' ? renderTls(upstream.tls) : '';
  const scheme = protocol === 'http' ? '' : ` over ${protocol}${proven}`;
  return `${name}${scheme} at ${addresses === '' ? 'no endpoint' : addresses}`;
}

function renderTls({ serverName, verify, ca, clientCertificate }: UpstreamTls): string {
  const authority = ca === undefined ? '' : `, vouched for by ${ca.match(/BEGIN CERT/g)?.length ?? 0} authorities`;
  const ours = clientCertificate === undefined ? '' : `, showing ${clientCertificate.name}`;
  return ` as ${serverName}${verify === false ? ', unverified' : ''}${authority}${ours}`;
}

/** Rules are shown of annotations alone: a Policy's are those of its own object. */
function renderPolicy({ policy, attachment, because }: AttachedPolicy): string {
  const { name, mode, rules, dataSets = {}, broken } = policy;
  const of = name.startsWith('annotations') ? `: ${JSON.stringify(rules)}` : '';
  const why = because === undefined ? '' : ` (${because})`;
  const data = Object.entries(dataSets).map(([set, content]) => `, ${set} = ${renderDataSet(content)}`);
  return `${attachment}, ${mode}: ${name}${of}${why}${data.join('')}${broken === undefined ? '' : `, broken: ${broken}`}`;
}

function renderDataSet({ content, staleAt }: DataSet): string {
  const age = staleAt === undefined ? '' : ` until ${new Date(staleAt).toISOString()}`;
  return `${content === undefined ? 'an error' : JSON.stringify(content)}${age}`;
}

function byName({ authority }: Translation): Readonly<Record<string, ProviderSettings>> {
  return Object.fromEntries(authority.providers.map((provider) => [provider.name, provider]));
}

function statusesOf({ statuses }: Translation): Readonly<Record<string, unknown>> {
  return Object.fromEntries(statuses.map(({ object, status }) => [describeReference(object), renderStatus(status)]));
}

function renderStatus({ conditions = [], routes }: Status) {
  const untrue = conditions.filter(({ status }) => status !== 'True');
  return {
    ...(routes !== undefined && { routes }),
    ...Object.fromEntries(untrue.map(({ type, status, reason, message }) => [type, `${status} ${reason}: ${message}`])),
    ...(untrue.length === 0 && { [conditions.map(({ type }) => type).join(', ')]: 'True' }),
  };
}

/** What of `now` is not in `usual`; a field that went is null. */
function differing(now: Readonly<Record<string, unknown>>, usual: Readonly<Record<string, unknown>>) {
  const gone = Object.keys(usual).filter((name) => !Object.hasOwn(now, name));
  const changed = Object.entries(now).filter(([name, value]) => !isDeepStrictEqual(value, usual[name]));
  const difference = Object.fromEntries([...gone.map((name) => [name, null]), ...changed]);
  return Object.keys(difference).length === 0 ? undefined : difference;
}
