// The route table: what the proxy serves, immutable, and the updates by which it travels from control to proxy.
import type { Redacted } from './diagnostic.ts';
import type { Access } from './policy.ts';
import type { ClassSettings } from './settings.ts';

/** Where a route's requests go. */
export interface Upstream {
  /** For logs: `monitoring/grafana:80`. */
  readonly name: string;
  readonly protocol: 'http' | 'https';
  /** The name that an https upstream must prove. */
  readonly serverName?: string;
  readonly endpoints: readonly Endpoint[];
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
  readonly address: string;
  readonly port: number;
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
}

/** A chain and its key, PEM. */
export interface Certificate {
  /** `namespace/name` of the Secret. */
  readonly name: string;
  readonly chain: string;
  readonly key: Redacted<string>;
}

/** All routes of one host. Its identity changes when, and only when, something in it does. */
export interface HostRoutes {
  /** `app.example.com`, `*.example.com`, or `` for requests whose host nobody claims. */
  readonly host: string;
  /** In order of precedence: exact before prefix, longer before shorter. */
  readonly routes: readonly Route[];
  readonly certificate?: Certificate;
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
  return { generation: 0, settings, hosts: new Map() };
}

/** What turns `before` into `after`. Hosts are compared by identity. */
export function tableUpdate(before: RouteTable, after: RouteTable): TableUpdate {
  const changed = [...after.hosts.values()].filter((host) => before.hosts.get(host.host) !== host);
  const removed = [...before.hosts.keys()].filter((host) => !after.hosts.has(host));
  const { generation, settings, defaultCertificate } = after;
  return { generation, settings, changed, removed, ...(defaultCertificate && { defaultCertificate }) };
}

/** The table that an update makes of the one before it, which stays as it was. */
export function applyUpdate(before: RouteTable, update: TableUpdate): RouteTable {
  const hosts = new Map(before.hosts);
  for (const host of update.removed) hosts.delete(host);
  for (const host of update.changed) hosts.set(host.host, host);
  const { generation, settings, defaultCertificate } = update;
  return { generation, settings, hosts, ...(defaultCertificate && { defaultCertificate }) };
}
