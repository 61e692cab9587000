// From an IngressClass, its Sallyport object and the IdentityProviders to the settings that roles work from.
import { checkDates, readCertificate } from './certificate.ts';
import { readKeyRing } from './keyring.ts';
import { complain, parseSpec, shown } from './parse.ts';
import { readProvider } from './provider.ts';
import type { ProviderReading } from './provider.ts';
import { listProviders } from './sign-in.ts';
import { readStore } from './store.ts';
import { freeTerms, readClassTerms } from './upstream-terms.ts';
import type { ClassTerms } from './upstream-terms.ts';
import type { World } from './world.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { parseDuration } from '../model/duration.ts';
import { sallyportSpec } from '../model/kinds.ts';
import type { SallyportSpec } from '../model/kinds.ts';
import type { HostSharing } from '../model/hosts-spec.ts';
import { ingressClassSpec } from '../model/objects.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Certificate } from '../model/route.ts';
import { defaultClassSettings } from '../model/settings.ts';
import type { AuthoritySettings, ClassSettings, TlsSettings } from '../model/settings.ts';
import { parseRange } from '../policy/address.ts';

const controllerName = 'sallyport.dev/ingress-controller';

/** The class that is served, with everything around it. */
export interface ClassReading {
  /** Absent: there is no such class of ours, and nothing is served. */
  readonly ingressClass?: KubernetesObject;
  /** The Sallyport object that the class points at. */
  readonly sallyport?: KubernetesObject;
  readonly isDefault: boolean;
  readonly settings: ClassSettings;
  readonly defaultCertificate?: Certificate;
  readonly hostSharing: HostSharing;
  readonly defaultBackend?: NonNullable<SallyportSpec['defaultBackend']>;
  /** On what terms applications are spoken to. */
  readonly upstream: ClassTerms;
  readonly providers: ReadonlyMap<string, ProviderReading>;
  readonly authority: AuthoritySettings;
  readonly diagnostics: readonly Diagnostic[];
}

const noSharing: HostSharing = [];

export function readClass(world: World): ClassReading {
  const { inventory, options } = world;
  const ingressClass = inventory.ingressClasses.get(options.className);
  const parsedClass = ingressClass && parseSpec(ingressClass, ingressClassSpec);
  const spec = parsedClass?.value;
  const providers = new Map(
    [...inventory.identityProviders].map(([name, object]) => [name, readProvider(world, object)]),
  );
  const { keyRing, diagnostics: ringDiagnostics } = readKeyRing(world);
  const providerSettings = [...providers.values()].flatMap(({ settings }) => settings ?? []);
  const common = {
    providers,
    authority: { class: defaultClassSettings, providers: providerSettings, ...(keyRing && { keyRing }) },
    settings: defaultClassSettings,
    hostSharing: noSharing,
    upstream: freeTerms,
    isDefault: false,
  };
  const diagnostics = [...ringDiagnostics, ...[...providers.values()].flatMap((provider) => provider.diagnostics)];
  diagnostics.push(...(parsedClass?.diagnostics ?? []));
  if (ingressClass === undefined || spec?.controller !== controllerName) {
    return { ...common, diagnostics: [...diagnostics, nothingServed(world, ingressClass, spec !== undefined)] };
  }
  const isDefault = ingressClass.metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true';
  const { sallyport, diagnostics: parameterDiagnostics } = readParameters(world, ingressClass, spec.parameters);
  diagnostics.push(...parameterDiagnostics);
  if (sallyport === undefined) return { ...common, ingressClass, isDefault, diagnostics };
  const parsed = readSallyport(sallyport);
  diagnostics.push(...parsed.diagnostics);
  if (parsed.spec === undefined) {
    const message = `Sallyport ${sallyport.metadata.name} is broken; the defaults are used, and nobody can sign in`;
    diagnostics.push(complain(ingressClass, 'ParametersInvalid', 'spec.parameters.name', message));
  }
  const { settings } = parsed;
  for (const { name, path } of parsed.spec === undefined ? [] : namedProviders(parsed.spec)) {
    if (providers.has(name)) continue;
    const message = `there is no IdentityProvider ${name}: nobody can sign in with it`;
    diagnostics.push(complain(sallyport, 'IdentityProviderNotFound', path, message));
  }
  const certificate = readDefaultCertificate(world, sallyport, parsed.spec);
  diagnostics.push(...certificate.diagnostics);
  const upstream = readClassTerms(world, sallyport, parsed.spec);
  diagnostics.push(...upstream.diagnostics);
  const store = parsed.spec && readStore(world, sallyport, parsed.spec);
  diagnostics.push(...(store?.diagnostics ?? []));
  return {
    ...common,
    ingressClass,
    sallyport,
    isDefault,
    settings,
    hostSharing: parsed.spec?.hostSharing ?? noSharing,
    upstream: upstream.terms,
    ...(parsed.spec?.defaultBackend && { defaultBackend: parsed.spec.defaultBackend }),
    authority: { ...common.authority, class: settings, ...(store?.store && { store: store.store }) },
    diagnostics,
    ...(certificate.certificate && { defaultCertificate: certificate.certificate }),
  };
}

function nothingServed({ options }: World, found: KubernetesObject | undefined, isReadable: boolean): Diagnostic {
  const { className } = options;
  const fault = isReadable ? "is another controller's" : 'cannot be read';
  const wrong = found === undefined ? `there is no IngressClass ${className}` : `IngressClass ${className} ${fault}`;
  return {
    code: 'NothingServed',
    severity: 'warning',
    object: { kind: 'IngressClass', name: className },
    path: found === undefined ? '' : 'spec.controller',
    message: `${wrong}: nothing is served until there is one with spec.controller ${controllerName}`,
  };
}

/** The class that an Ingress names is not there at all: somebody who sees nothing but the Ingress should learn it. */
export function classMissing(
  { inventory, options }: World,
  ingresses: readonly KubernetesObject[],
): readonly Diagnostic[] {
  const { className } = options;
  if (inventory.ingressClasses.has(className)) return [];
  const message = `there is no IngressClass ${className}: create it with spec.controller ${controllerName}, or name another`;
  return ingresses.map((ingress) => complain(ingress, 'NothingServed', 'spec.ingressClassName', message));
}

type Parameters = NonNullable<ReturnType<typeof ingressClassSpec.parse>['parameters']>;

function readParameters(
  { inventory }: World,
  ingressClass: KubernetesObject,
  parameters: Parameters | undefined,
): { readonly sallyport?: KubernetesObject; readonly diagnostics: readonly Diagnostic[] } {
  if (parameters === undefined) return { diagnostics: [] };
  const { apiGroup, kind, name } = parameters;
  if (apiGroup !== 'sallyport.dev' || kind !== 'Sallyport') {
    const message = 'apiGroup sallyport.dev and kind Sallyport are wanted; the defaults are used';
    return { diagnostics: [complain(ingressClass, 'ParametersInvalid', 'spec.parameters', message)] };
  }
  const sallyport = inventory.sallyports.get(name);
  if (sallyport !== undefined) return { sallyport, diagnostics: [] };
  const message = `there is no Sallyport ${name}; the defaults are used, and nobody can sign in`;
  return { diagnostics: [complain(ingressClass, 'ParametersNotFound', 'spec.parameters.name', message)] };
}

interface SallyportReading {
  readonly settings: ClassSettings;
  readonly spec?: SallyportSpec;
  readonly diagnostics: readonly Diagnostic[];
}

const sallyports = new WeakMap<KubernetesObject, SallyportReading>();

/** A Sallyport that cannot be read leaves the defaults, under which nobody can sign in and nothing is granted. */
function readSallyport(object: KubernetesObject): SallyportReading {
  const known = sallyports.get(object);
  if (known !== undefined) return known;
  const { value: spec, diagnostics } = parseSpec(object, sallyportSpec);
  const reading: SallyportReading =
    spec === undefined
      ? { settings: reservedSettings(object.spec), diagnostics }
      : {
          settings: classSettings(spec),
          spec,
          diagnostics: wrongProxies(object, spec),
        };
  sallyports.set(object, reading);
  return reading;
}

// Read loosely, so that a mistake elsewhere never makes the authentication host anybody's, nor our cookie an application's,
// nor a client speak what the class had ruled out.
function reservedSettings(spec: unknown): ClassSettings {
  if (typeof spec !== 'object' || spec === null) return defaultClassSettings;
  const { authenticationHost, cookie, tls } = sallyportSpec.shape;
  const host = authenticationHost.safeParse('authenticationHost' in spec ? spec.authenticationHost : undefined).data;
  const name = cookie.safeParse('cookie' in spec ? spec.cookie : undefined).data?.name;
  return {
    ...defaultClassSettings,
    ...(host !== undefined && { authenticationHost: host }),
    ...(name !== undefined && { cookieName: name }),
    tls: tlsSettings(tls.safeParse('tls' in spec ? spec.tls : undefined).data),
  };
}

/** Where people sign in on routes whose policies name no provider. */
function namedProviders(spec: SallyportSpec) {
  return listProviders(
    ['spec.defaultIdentityProviderRef', spec.defaultIdentityProviderRef],
    ['spec.identityProviderRefs', spec.identityProviderRefs],
  );
}

function classSettings(spec: SallyportSpec): ClassSettings {
  const defaults = defaultClassSettings;
  const { sessions, cookie, timeouts, identityHeaders, authenticationHost } = spec;
  return {
    ...(authenticationHost !== undefined && { authenticationHost }),
    cookieName: cookie?.name ?? defaults.cookieName,
    cookieSameSite: cookie?.sameSite ?? defaults.cookieSameSite,
    trustedProxies: spec.trustedProxies,
    identityHeaders: {
      preset: identityHeaders?.preset ?? defaults.identityHeaders.preset,
      assertion: identityHeaders?.assertion ?? defaults.identityHeaders.assertion,
      claims: identityHeaders?.claims ?? {},
    },
    ...(identityHeaders?.issuer !== undefined && { assertionIssuer: identityHeaders.issuer }),
    defaultAccess: spec.defaultAccess,
    providers: namedProviders(spec).map(({ name }) => name),
    sessionLifetimeMs: sessions ? parseDuration(sessions.lifetime) : defaults.sessionLifetimeMs,
    ...(sessions?.idleTimeout !== undefined && { sessionIdleTimeoutMs: parseDuration(sessions.idleTimeout) }),
    ...(sessions?.maxPerPerson !== undefined && { sessionsPerPerson: sessions.maxPerPerson }),
    refreshIntervalMs: sessions ? parseDuration(sessions.refreshInterval) : defaults.refreshIntervalMs,
    outageGraceMs: sessions ? parseDuration(sessions.outageGrace) : defaults.outageGraceMs,
    timeouts: timeouts
      ? {
          firstByteMs: parseDuration(timeouts.firstByte),
          connectMs: parseDuration(timeouts.connect),
          idleMs: parseDuration(timeouts.idle),
        }
      : defaults.timeouts,
    tls: tlsSettings(spec.tls),
  };
}

function tlsSettings(tls: SallyportSpec['tls']): TlsSettings {
  const defaults = defaultClassSettings.tls;
  return tls === undefined
    ? defaults
    : { minVersion: `TLSv${tls.minVersion}`, ciphers: tls.ciphers ?? defaults.ciphers };
}

// An entry that is none is nobody's address: it is left standing, and trusts nobody.
function wrongProxies(object: KubernetesObject, { trustedProxies }: SallyportSpec): readonly Diagnostic[] {
  return [...trustedProxies.entries()]
    .filter(([, range]) => parseRange(range) === undefined)
    .map(([index, range]) => {
      const message = `${shown(range)} is no address or CIDR, such as 10.0.0.0/8: it trusts nobody`;
      return complain(object, 'ObjectInvalid', `spec.trustedProxies[${index}]`, message);
    });
}

function readDefaultCertificate(world: World, sallyport: KubernetesObject, spec: SallyportSpec | undefined) {
  const reference = spec?.defaultCertificateSecretRef;
  if (reference === undefined) return { diagnostics: [] };
  const path = 'spec.defaultCertificateSecretRef';
  const key = `${reference.namespace}/${reference.name}`;
  const secret = world.secret(key);
  if (secret === 'pending') return { diagnostics: [] };
  if (secret !== 'missing') {
    const { certificate, leaf, diagnostics } = readCertificate(secret);
    if (certificate !== undefined && leaf !== undefined)
      return { certificate, diagnostics: checkDates(sallyport, path, certificate, leaf, world) };
    const message = `Secret ${key} holds no certificate that can be served, so there is no default one`;
    return { diagnostics: [...diagnostics, complain(sallyport, 'CertificateInvalid', path, message)] };
  }
  return { diagnostics: [complain(sallyport, 'SecretNotFound', path, `there is no Secret ${key}`)] };
}
