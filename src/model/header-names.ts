// Which header fields are ours or a connection's own: one answer for the data path and for what an Ingress may change.

// RFC 9110 §7.6.1, and those that only ever concern one hop.
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  // Announced anew where trailers do follow.
  'trailer',
  'expect',
  'http2-settings',
  // Becomes HTTP_PROXY in a CGI program's environment (CVE-2016-5385).
  'proxy',
]);

// Names that say who somebody is, or where a request came from, under any preset.
const managed: ReadonlySet<string> = new Set([
  'forwarded',
  'x-real-ip',
  'x-rewrite-url',
  'x-client-ip',
  'true-client-ip',
  'x-cluster-client-ip',
  'x-request-id',
  'x-goog-iap-jwt-assertion',
  'remote-user',
]);

const managedPrefix =
  /^(?:x-(?:sallyport|forwarded|original|pomerium|auth-request|goog-authenticated-user|remote|webauth)|cf-access)-/;

/** CGI, WSGI, PHP and Rack all fold names so that `X_Forwarded_User` and `x.forwarded.user` arrive as one (CVE-2025-64484, CVE-2026-88011). */
export function foldName(name: string): string {
  const lower = name.toLowerCase();
  return /[^a-z0-9-]/.test(lower) ? lower.replaceAll(/[^a-z0-9]/g, '-') : lower;
}

/** Whether an application must hear this header from nobody but us. `claims` are the class's own names, folded. */
export function isManaged(folded: string, claims: ReadonlySet<string>): boolean {
  return managed.has(folded) || claims.has(folded) || managedPrefix.test(folded);
}

/** Whether a header concerns the connection to a proxy, and ends there. */
export function isProxys(name: string): boolean {
  return hopByHop.has(name) || name.startsWith('proxy-');
}

// What the message is, and where it goes: derived anew from what the parser obeyed.
const framing: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding']);

/** Whether a route may change this header of what an application gets; what is ours it may not. */
export function isChangeableInRequest(name: string, claims: ReadonlySet<string>): boolean {
  const folded = foldName(name);
  return !framing.has(folded) && !isProxys(folded) && !isManaged(folded, claims);
}

/** Whether a route may change this header of an application's answer. */
export function isChangeableInResponse(name: string): boolean {
  const folded = foldName(name);
  return !framing.has(folded) && !isProxys(folded);
}
