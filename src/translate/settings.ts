// From an IngressClass, its Sallyport object and the IdentityProviders to the settings that roles work from.
import { readCertificate } from './certificate.ts';
import { readKeyRing } from './keyring.ts';
import { complain, parseField } from './parse.ts';
import { createMemory } from './remember.ts';
import { secretValue } from './secret.ts';
import type { World } from './world.ts';
import { Redacted } from '../model/diagnostic.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { identityProviderSpec, parseDuration, sallyportSpec } from '../model/kinds.ts';
import type { IdentityProviderSpec, LabelSelector, SallyportSpec } from '../model/kinds.ts';
import { ingressClassSpec } from '../model/objects.ts';
import type { KubernetesObject } from '../model/objects.ts';
import type { Certificate } from '../model/route.ts';
import { defaultClassSettings } from '../model/settings.ts';
import type { AuthoritySettings, ClassSettings, ProviderSettings } from '../model/settings.ts';

export const controllerName = 'sallyport.dev/ingress-controller';

/** The class that is served, with everything around it. */
export interface ClassReading {
  /** Absent: there is no such class of ours, and nothing is served. */
  readonly ingressClass?: KubernetesObject;
  /** The Sallyport object that the class points at. */
  readonly sallyport?: KubernetesObject;
  readonly isDefault: boolean;
  readonly settings: ClassSettings;
  readonly defaultCertificate?: Certificate;
  readonly providers: ReadonlyMap<string, ProviderReading>;
  readonly authority: AuthoritySettings;
  readonly diagnostics: readonly Diagnostic[];
}

export interface ProviderReading {
  readonly object: KubernetesObject;
  /** Absent: it cannot be used. */
  readonly settings?: ProviderSettings;
  /** Whose policies may name it; absent: nobody's. */
  readonly allowedNamespaces?: LabelSelector;
  readonly diagnostics: readonly Diagnostic[];
}

export function readClass(world: World): ClassReading {
  const { inventory, options } = world;
  const ingressClass = inventory.ingressClasses.get(options.className);
  const spec = ingressClass && ingressClassSpec.safeParse(ingressClass.spec).data;
  const providers = new Map(
    [...inventory.identityProviders].map(([name, object]) => [name, readProvider(world, object)]),
  );
  const { keyRing, diagnostics: ringDiagnostics } = readKeyRing(world);
  const providerSettings = [...providers.values()].flatMap(({ settings }) => settings ?? []);
  const common = {
    providers,
    authority: { class: defaultClassSettings, providers: providerSettings, ...(keyRing && { keyRing }) },
    settings: defaultClassSettings,
    isDefault: false,
  };
  const diagnostics = [...ringDiagnostics, ...[...providers.values()].flatMap((provider) => provider.diagnostics)];
  if (ingressClass === undefined || spec?.controller !== controllerName) {
    return { ...common, diagnostics: [...diagnostics, nothingServed(world, ingressClass)] };
  }
  const isDefault = ingressClass.metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true';
  const { sallyport, diagnostics: parameterDiagnostics } = readParameters(world, ingressClass, spec.parameters);
  diagnostics.push(...parameterDiagnostics);
  if (sallyport === undefined) return { ...common, ingressClass, isDefault, diagnostics };
  const parsed = readSallyport(sallyport);
  diagnostics.push(...parsed.diagnostics);
  const { settings } = parsed;
  if (settings.defaultProvider !== undefined && !providers.has(settings.defaultProvider)) {
    const message = `there is no IdentityProvider ${settings.defaultProvider}: nobody can sign in where a policy names no other`;
    diagnostics.push(complain(sallyport, 'IdentityProviderNotFound', 'spec.defaultIdentityProviderRef.name', message));
  }
  const certificate = readDefaultCertificate(world, sallyport, parsed.spec);
  diagnostics.push(...certificate.diagnostics);
  return {
    ...common,
    ingressClass,
    sallyport,
    isDefault,
    settings,
    authority: { ...common.authority, class: settings },
    diagnostics,
    ...(certificate.certificate && { defaultCertificate: certificate.certificate }),
  };
}

function nothingServed({ options }: World, found: KubernetesObject | undefined): Diagnostic {
  const { className } = options;
  const wrong =
    found === undefined ? `there is no IngressClass ${className}` : `IngressClass ${className} is another controller's`;
  return {
    code: 'NothingServed',
    severity: 'warning',
    object: { kind: 'IngressClass', name: className },
    path: found === undefined ? '' : 'spec.controller',
    message: `${wrong}: nothing is served until there is one with spec.controller ${controllerName}`,
  };
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
  const { value: spec, diagnostics } = parseField(object, sallyportSpec, object.spec, 'spec');
  const reading: SallyportReading =
    spec === undefined
      ? { settings: defaultClassSettings, diagnostics }
      : { settings: classSettings(spec), spec, diagnostics: unsupported(object, spec) };
  sallyports.set(object, reading);
  return reading;
}

function classSettings(spec: SallyportSpec): ClassSettings {
  const defaults = defaultClassSettings;
  const { sessions, cookie, timeouts, identityHeaders, authenticationHost, defaultIdentityProviderRef } = spec;
  return {
    ...(authenticationHost !== undefined && { authenticationHost }),
    cookieName: cookie?.name ?? defaults.cookieName,
    cookieSameSite: cookie?.sameSite ?? defaults.cookieSameSite,
    trustedProxies: spec.trustedProxies,
    identityHeaders: { preset: identityHeaders?.preset ?? 'Sallyport', claims: identityHeaders?.claims ?? {} },
    defaultAccess: spec.defaultAccess,
    ...(defaultIdentityProviderRef && { defaultProvider: defaultIdentityProviderRef.name }),
    sessionLifetimeMs: sessions ? parseDuration(sessions.lifetime) : defaults.sessionLifetimeMs,
    ...(sessions?.idleTimeout !== undefined && { sessionIdleTimeoutMs: parseDuration(sessions.idleTimeout) }),
    outageGraceMs: sessions ? parseDuration(sessions.outageGrace) : defaults.outageGraceMs,
    timeouts: timeouts
      ? {
          firstByteMs: parseDuration(timeouts.firstByte),
          connectMs: parseDuration(timeouts.connect),
          idleMs: parseDuration(timeouts.idle),
        }
      : defaults.timeouts,
  };
}

// What the contract names and this version does not do yet is said, never silently taken.
function unsupported(object: KubernetesObject, spec: SallyportSpec): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const say = (path: string, message: string) =>
    found.push(complain(object, 'NotSupportedYet', path, message, 'warning'));
  const store = spec.sessions?.store?.type ?? 'Secret';
  if (store !== 'Memory') {
    say(
      'spec.sessions.store.type',
      `the store ${store} is not supported yet: sessions live in memory, and end with the process`,
    );
  }
  if (spec.sessions?.idleTimeout !== undefined)
    say('spec.sessions.idleTimeout', 'it is not supported yet: sessions live for their lifetime');
  return found;
}

function readDefaultCertificate(world: World, sallyport: KubernetesObject, spec: SallyportSpec | undefined) {
  const reference = spec?.defaultCertificateSecretRef;
  if (reference === undefined) return { diagnostics: [] };
  const secret = world.secret(`${reference.namespace}/${reference.name}`);
  if (secret === 'pending') return { diagnostics: [] };
  if (secret !== 'missing') return readCertificate(secret);
  const message = `there is no Secret ${reference.namespace}/${reference.name}`;
  return { diagnostics: [complain(sallyport, 'SecretNotFound', 'spec.defaultCertificateSecretRef', message)] };
}

const rememberProvider = createMemory<ProviderReading>();

function readProvider(world: World, object: KubernetesObject): ProviderReading {
  const { value: spec, diagnostics } = parseField(object, identityProviderSpec, object.spec, 'spec');
  if (spec === undefined) return { object, diagnostics };
  const { clientSecretRef, caSecretRef } = spec.oidc;
  const clientSecret = clientSecretRef && world.secret(`${clientSecretRef.namespace}/${clientSecretRef.name}`);
  const ca = caSecretRef && world.secret(`${caSecretRef.namespace}/${caSecretRef.name}`);
  return rememberProvider(object, [clientSecret, ca], () => buildProvider(object, spec, clientSecret, ca));
}

type LookedUp = ReturnType<World['secret']> | undefined;

function buildProvider(
  object: KubernetesObject,
  spec: IdentityProviderSpec,
  clientSecret: LookedUp,
  ca: LookedUp,
): ProviderReading {
  const { oidc, allowedNamespaces } = spec;
  const found: Diagnostic[] = [];
  const value = (
    secret: LookedUp,
    reference: { namespace: string; name: string } | undefined,
    key: string,
    path: string,
  ) => {
    if (reference === undefined || secret === undefined || secret === 'pending') return undefined;
    const bytes = secret === 'missing' ? undefined : secretValue(secret, key);
    if (bytes === undefined) {
      const lacks = secret === 'missing' ? 'there is no' : `there is no key ${key} in`;
      found.push(
        complain(
          object,
          'SecretNotFound',
          path,
          `${lacks} Secret ${reference.namespace}/${reference.name}: nobody can sign in here`,
        ),
      );
    }
    return bytes?.toString('utf8');
  };
  const secretText = value(
    clientSecret,
    oidc.clientSecretRef,
    oidc.clientSecretRef?.key ?? '',
    'spec.oidc.clientSecretRef',
  )?.trim();
  const caText = value(ca, oidc.caSecretRef, 'ca.crt', 'spec.oidc.caSecretRef');
  const isPlain = oidc.issuer.startsWith('http:');
  if (!URL.canParse(oidc.issuer))
    found.push(complain(object, 'ObjectInvalid', 'spec.oidc.issuer', 'this is not a URL'));
  if (isPlain && !isLocalhost(oidc.issuer) && oidc.insecureIssuer !== true) {
    const message = 'plain http is for localhost alone: use https, or say insecureIssuer: true for a test';
    found.push(complain(object, 'ObjectInvalid', 'spec.oidc.issuer', message));
  }
  const isReady =
    found.length === 0 &&
    (oidc.clientSecretRef === undefined || secretText !== undefined) &&
    (oidc.caSecretRef === undefined || caText !== undefined);
  const settings: ProviderSettings = {
    name: object.metadata.name,
    issuer: oidc.issuer,
    allowInsecure: isPlain,
    clientId: oidc.clientID,
    ...(secretText !== undefined && { clientSecret: new Redacted(secretText) }),
    scopes: oidc.scopes,
    claims: oidc.claims ?? { user: 'sub', email: 'email', groups: 'groups' },
    allowUnverifiedEmail: oidc.allowUnverifiedEmail ?? false,
    authorizationParameters: oidc.authorizationParameters ?? {},
    ...(caText !== undefined && { ca: caText }),
    logoutAtProvider: oidc.logout === 'Provider',
  };
  return {
    object,
    ...(isReady && { settings }),
    ...(allowedNamespaces && { allowedNamespaces: allowedNamespaces.selector }),
    diagnostics: found,
  };
}

function isLocalhost(issuer: string): boolean {
  const hostname = URL.parse(issuer)?.hostname ?? '';
  return (
    hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '127.0.0.1' || hostname === '[::1]'
  );
}
