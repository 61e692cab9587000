// The route table: what the proxy serves, immutable, and the updates by which it travels from control to proxy.
import type { Redacted } from './diagnostic.ts';
import { workloadProvider } from './identity.ts';
import type { Access } from './policy.ts';
import type { ClassSettings } from './settings.ts';
import { changedKeys, draftOf, emptySharedMap, scatteredPart, shared } from './shared-map.ts';

/** Where a route's requests go. */
export type Upstream = {
  /** For logs: `monitoring/grafana:80`. */
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
} & (
  | {
      /** `h2c`: HTTP/2 without TLS, known beforehand (RFC 9113, section 3.3). */
      readonly protocol: 'http' | 'h2c';
    }
  | { readonly protocol: 'https'; readonly tls: UpstreamTls }
);

/** Whom an upstream over TLS must prove to be, and who we say we are. */
export interface UpstreamTls {
  /** Asked for (SNI), and what its certificate must name. */
  readonly serverName: string;
  /** Absent: it must prove its name. */
  readonly verify?: false;
  /** PEM; absent: what Node.js trusts. */
  readonly ca?: string;
  readonly clientCertificate?: Certificate;
}

/** Which pages of other origins may call a route (the CORS protocol of the Fetch standard). */
export interface Cors {
  /** Serialized origins, or `*` alone. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  /** Absent: whatever a preflight asks for. */
  readonly headers?: readonly string[];
  readonly exposed: readonly string[];
  readonly credentials: boolean;
  readonly maxAgeSeconds: number;
}

export interface Endpoint {
  /** An address, or a host name that is resolved at each connect. */
  readonly address: string;
  readonly port: number;
  /** It is going away and still serves: used where there is no other. */
  readonly draining?: true;
}

/** What the forwarded request has instead of the one asked for; what was judged is the latter. */
export interface Rewrite {
  /** `Prefix`: instead of the route's own prefix. `Pattern`: RE2, of the whole path, with `\1` in the substitution. */
  readonly path?:
    | { readonly kind: 'Prefix'; readonly prefix: string }
    | { readonly kind: 'Pattern'; readonly pattern: string; readonly substitution: string };
  /** The Host sent; `Upstream`: the name of its Service, or of its certificate. */
  readonly host?: { readonly kind: 'Upstream' } | { readonly kind: 'Literal'; readonly host: string };
}

/** A header's name and value as they are sent; what comes from a Secret is not printed. */
export type HeaderLine = readonly [name: string, value: string | Redacted<string>];

/** In this order: remove, set, add. None is managed by us, hop-by-hop, or framing. */
export interface HeaderChanges {
  readonly set: readonly HeaderLine[];
  readonly add: readonly HeaderLine[];
  /** Lower-case. */
  readonly remove: readonly string[];
}

/** Parts that are absent are as in the request. */
export interface Redirect {
  readonly status: 301 | 302 | 303 | 307 | 308;
  readonly scheme?: 'http' | 'https';
  readonly host?: string;
  readonly port?: number;
  /** `Full`: with what it says of a query. `Prefix`: instead of the route's own prefix. */
  readonly path?: { readonly kind: 'Full' | 'Prefix'; readonly path: string };
}

/** A page of ours instead of the application, for whoever may use the route. */
export interface Maintenance {
  readonly message?: string;
  readonly retryAfterSeconds?: number;
}

export interface Route {
  /** Stable and unique in a table: `monitoring/grafana app.example.com/d` (with `=` before the path where it is exact). */
  readonly id: string;
  readonly ingress: { readonly namespace: string; readonly name: string };
  /** Canonical, beginning with `/`; a prefix has no trailing slash, save `/` itself. */
  readonly path: string;
  readonly match: 'Exact' | 'Prefix';
  readonly access: Access;
  /** The IdentityProviders whose sessions count here, the first by default; empty: nobody can sign in. */
  readonly providers: readonly string[];
  /** Whether Kubernetes workloads count here, by their own tokens: a policy asks for a ServiceAccount. */
  readonly workloads?: true;
  /** Why every request is refused, for the operator's eyes: something that decides who may enter is wrong. */
  readonly denied?: string;
  /** Absent: the application sees to CORS itself, or nobody does. */
  readonly cors?: Cors;
  /** Absent: there is nothing to forward to, and allowed requests get 503. */
  readonly upstream?: Upstream;
  readonly rewrite?: Rewrite;
  readonly requestHeaders?: HeaderChanges;
  readonly responseHeaders?: HeaderChanges;
  /** Instead of forwarding. */
  readonly redirect?: Redirect;
  readonly maintenance?: Maintenance;
  /** Other than the class's. */
  readonly timeouts?: { readonly firstByteMs?: number; readonly connectMs?: number; readonly idleMs?: number };
  /** Lower-case names of protocols that a connection may switch to; absent: websocket. */
  readonly upgrades?: readonly string[];
}

/** Whether a session of this provider counts on a route. */
export function countsOn({ providers, workloads }: Route, provider: string): boolean {
  return provider === workloadProvider ? workloads === true : providers.includes(provider);
}

/** HTTP Strict Transport Security (RFC 6797), said over https alone. */
export interface StrictTransport {
  /** 0 takes it back. */
  readonly maxAgeSeconds: number;
  readonly includeSubDomains: boolean;
  readonly preload: boolean;
}

/** One answer to an ACME challenge (RFC 8555, section 8.3): over plain http, to anybody, at exactly this path. */
export interface Solver {
  readonly path: string;
  readonly upstream: Upstream;
}

/** A chain and its key, PEM. */
export interface Certificate {
  /** `namespace/name` of the Secret. */
  readonly name: string;
  readonly chain: string;
  readonly key: Redacted<string>;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** All routes of one host. Its identity changes when, and only when, something in it does. */
export interface HostRoutes {
  /** `app.example.com`, `*.example.com`, or `` for requests whose host nobody claims. */
  readonly host: string;
  /** In order of precedence: exact before prefix, longer before shorter. */
  readonly routes: readonly Route[];
  readonly certificate?: Certificate;
  /** Absent: plain http is sent to https where the host has a certificate. */
  readonly httpsRedirect?: false;
  readonly strictTransport?: StrictTransport;
  readonly solvers?: readonly Solver[];
  /** Nobody claims it: beside its solvers, requests are matched, and certificates chosen, as if it were not here. */
  readonly solversOnly?: true;
}

/** One moment's answer to "who serves what, for whom". A request takes it once and sees nothing else. */
export interface RouteTable {
  /** Counts up with each change. */
  readonly generation: number;
  readonly settings: ClassSettings;
  readonly hosts: ReadonlyMap<string, HostRoutes>;
  readonly defaultCertificate?: Certificate;
}

/** What control sends: the hosts that changed, and the names of those that went. */
export interface TableUpdate {
  readonly generation: number;
  readonly settings: ClassSettings;
  readonly changed: readonly HostRoutes[];
  readonly removed: readonly string[];
  readonly defaultCertificate?: Certificate;
}

export function emptyTable(settings: ClassSettings): RouteTable {
  return { generation: 0, settings, hosts: emptySharedMap(scatteredPart) };
}

/** What turns `before` into `after`. Hosts are compared by identity. */
export function tableUpdate(before: RouteTable, after: RouteTable): TableUpdate {
  const changed: HostRoutes[] = [];
  const removed: string[] = [];
  for (const name of changedKeys(before.hosts, after.hosts)) {
    const host = after.hosts.get(name);
    if (host === undefined) removed.push(name);
    else changed.push(host);
  }
  const { generation, settings, defaultCertificate } = after;
  return { generation, settings, changed, removed, ...(defaultCertificate && { defaultCertificate }) };
}

/** The table that an update makes of the one before it, which stays as it was. */
export function applyUpdate(before: RouteTable, update: TableUpdate): RouteTable {
  const draft = draftOf(shared(before.hosts, scatteredPart));
  for (const host of update.removed) draft.delete(host);
  for (const host of update.changed) draft.set(host.host, host);
  const { generation, settings, defaultCertificate } = update;
  return { generation, settings, hosts: draft.finish(), ...(defaultCertificate && { defaultCertificate }) };
}
