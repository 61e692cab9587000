// What an Ingress's annotations say of its traffic beside access and CORS: one answer for its routes, and one for its hosts.
import { annotationPrefix, secretAnnotations } from './annotation-table.ts';
import type { Annotation } from './annotation-table.ts';
import { createAnnotationReader } from './annotation-values.ts';
import type { AnnotationReader, Findings } from './annotation-values.ts';
import type { HostTraffic } from './host-traffic.ts';
import { readHeaderChanges, requestRules, responseRules } from './header-changes.ts';
import type { LookedUp } from './header-changes.ts';
import { metadataEntry } from './parse.ts';
import { createMemory } from './remember.ts';
import { readRedirect, readRewrite } from './rewrite.ts';
import { readOwnTerms } from './upstream-terms.ts';
import type { OwnTerms } from './upstream-terms.ts';
import type { World } from './world.ts';
import { foldName } from '../model/header-names.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Maintenance, Route, StrictTransport } from '../model/route.ts';
import type { ClassSettings } from '../model/settings.ts';

/** Of each route of an Ingress. */
export type RouteTraffic = Pick<
  Route,
  'rewrite' | 'requestHeaders' | 'responseHeaders' | 'redirect' | 'maintenance' | 'timeouts' | 'upgrades'
>;

export interface Traffic extends Findings {
  readonly route: RouteTraffic;
  /** Of each host that it serves. */
  readonly host: HostTraffic;
  /** How its applications are spoken to. */
  readonly upstream: OwnTerms;
}

/** The Secrets that an Ingress's annotations name, by annotation; noted, so that their content is fetched. */
export function namedSecrets(world: World, ingress: KubernetesObject): ReadonlyMap<Annotation, LookedUp> {
  const found = new Map<Annotation, LookedUp>();
  for (const name of secretAnnotations) {
    const given = metadataEntry(ingress, 'annotations', annotationPrefix + name);
    if (typeof given === 'string') found.set(name, world.secret(`${ingress.metadata.namespace ?? ''}/${given}`));
  }
  return found;
}

const remember = createMemory<Traffic>();

export function readTraffic(world: World, ingress: KubernetesObject, settings: ClassSettings): Traffic {
  const secrets = namedSecrets(world, ingress);
  const claims = Object.keys(settings.identityHeaders.claims);
  return remember(ingress, [claims.join(' '), ...secrets.values()], () =>
    parseTraffic(ingress, secrets, new Set(claims.map(foldName))),
  );
}

function parseTraffic(
  ingress: KubernetesObject,
  secrets: ReadonlyMap<Annotation, LookedUp>,
  claims: ReadonlySet<string>,
): Traffic {
  const read = createAnnotationReader(ingress);
  const rewrite = readRewrite(read);
  const requestHeaders = readHeaderChanges(read, requestRules(claims), secrets.get('set-request-headers-secret'));
  const responses = responseRules(read.has('cors-allow-origin'));
  const responseHeaders = readHeaderChanges(read, responses, secrets.get('set-response-headers-secret'));
  const redirect = readRedirect(read);
  const maintenance = readMaintenance(read);
  const timeouts = readTimeouts(read);
  const upgrades = readUpgrades(read);
  const httpsRedirect = read.flag('https-redirect');
  const strictTransport = readStrictTransport(read);
  const upstream = readOwnTerms(read, ingress, secrets);
  const findings = read.findings();
  return {
    route: {
      ...(rewrite && { rewrite }),
      ...(requestHeaders && { requestHeaders }),
      ...(responseHeaders && { responseHeaders }),
      ...(redirect && { redirect }),
      ...(maintenance && { maintenance }),
      ...(timeouts && { timeouts }),
      ...(upgrades && { upgrades }),
    },
    host: {
      ...(httpsRedirect !== undefined && { httpsRedirect }),
      ...(strictTransport && { strictTransport }),
    },
    upstream: upstream.terms,
    ...findings,
    diagnostics: [...findings.diagnostics, ...upstream.diagnostics],
  };
}

const retryLimitSeconds = 30 * 86_400;

function readMaintenance(read: AnnotationReader): Maintenance | undefined {
  const message = read.parsed('maintenance-message', 'a text of at most 500 characters, on one line', (text) =>
    /^[^\p{Cc}]{1,500}$/u.test(text) && text.isWellFormed() ? text : undefined,
  );
  const retry = read.number('maintenance-retry-after', 'a number of seconds, at most 30 days', retryLimitSeconds);
  // What was said and cannot be read meant that nobody should reach the application.
  const isOn = read.has('maintenance') && read.flag('maintenance') !== false;
  if (!isOn) return undefined;
  return { ...(message !== undefined && { message }), ...(retry !== undefined && { retryAfterSeconds: retry }) };
}

function readTimeouts(read: AnnotationReader): Route['timeouts'] {
  const connectMs = read.durationMs('connect-timeout');
  const firstByteMs = read.durationMs('first-byte-timeout');
  const idleMs = read.durationMs('idle-timeout');
  if (connectMs === undefined && firstByteMs === undefined && idleMs === undefined) return undefined;
  return {
    ...(connectMs !== undefined && { connectMs }),
    ...(firstByteMs !== undefined && { firstByteMs }),
    ...(idleMs !== undefined && { idleMs }),
  };
}

const protocol = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}(?:\/[a-z0-9.]{1,16})?$/;
// A whole connection of them would pass unseen; the proxy never offers them.
const neverAnUpgrade = /^(?:h2c?|http|tls)(?:\/|$)/;

function readUpgrades(read: AnnotationReader): readonly string[] | undefined {
  if (!read.has('upgrades')) return undefined;
  const wanted = 'protocols such as websocket, separated by commas (HTTP/2 and TLS are none), or none alone';
  const found = read.parsed('upgrades', wanted, (text) => {
    const names = text
      .toLowerCase()
      .split(',')
      .map((name) => name.trim());
    if (names.length === 1 && names[0] === 'none') return [];
    const isWrong = (name: string) => name === 'none' || !protocol.test(name) || neverAnUpgrade.test(name);
    return names.length > 16 || names.some(isWrong) ? undefined : names;
  });
  return found ?? [];
}

const yearSeconds = 31_536_000;
const hstsLimitSeconds = 10 * yearSeconds;

function readStrictTransport(read: AnnotationReader): StrictTransport | undefined {
  const maxAgeSeconds = read.number('hsts-max-age', 'a number of seconds, at most ten years', hstsLimitSeconds);
  const includeSubDomains = read.flag('hsts-include-subdomains') ?? false;
  const preload = read.flag('hsts-preload') ?? false;
  if (maxAgeSeconds === undefined) {
    for (const name of ['hsts-include-subdomains', 'hsts-preload'] as const) {
      if (read.has(name) && !read.has('hsts-max-age')) read.refuse(name, 'it needs hsts-max-age beside it');
    }
    return undefined;
  }
  // What the browsers' own list asks for (hstspreload.org).
  if (preload && (maxAgeSeconds < yearSeconds || !includeSubDomains)) {
    read.refuse('hsts-preload', `it needs hsts-max-age of ${yearSeconds} or more, and hsts-include-subdomains`);
    return { maxAgeSeconds, includeSubDomains, preload: false };
  }
  return { maxAgeSeconds, includeSubDomains, preload };
}
