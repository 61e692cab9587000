// The providers of a class, each with its directory: made when they are first named, and made anew when their settings change.
import { createDirectory } from '../directories/directory.ts';
import { createMemberships } from '../directories/memberships.ts';
import { createProvider } from './provider.ts';
import type { Provider, ProviderOptions } from './provider.ts';
import { Redacted } from '../../model/diagnostic.ts';
import type { ProviderSettings } from '../../model/settings.ts';
import type { Metrics } from '../../telemetry.ts';

export interface ProvidersOptions extends Required<ProviderOptions> {
  readonly metrics: Metrics;
  /** How long what a directory said counts while it does not answer. */
  readonly graceMs: () => number;
}

export type KnownProviders = ReadonlyMap<string, { readonly provider: Provider; readonly fingerprint: string }>;

/** A provider whose settings stay the same keeps what was discovered; a changed one is discovered anew. */
export function updateProviders(
  known: KnownProviders,
  settings: readonly ProviderSettings[],
  options: ProvidersOptions,
): KnownProviders {
  const next = new Map<string, { provider: Provider; fingerprint: string }>();
  for (const one of settings) {
    const fingerprint = JSON.stringify(one, revealed);
    const before = known.get(one.name);
    const isSame = before?.fingerprint === fingerprint;
    next.set(one.name, isSame ? before : { provider: withDirectory(one, options), fingerprint });
  }
  for (const [name, { provider }] of known) {
    // What is under way at a provider that is gone may end by itself; its connections go then.
    if (next.get(name)?.provider !== provider) void provider.close();
  }
  return next;
}

function withDirectory(settings: ProviderSettings, options: ProvidersOptions): Provider {
  const provider = createProvider(settings, options);
  if (settings.directory === undefined) return provider;
  const { intervalMs } = settings.directory;
  const directory = createDirectory(settings.directory, options.now);
  const memberships = createMemberships({ ...options, directory, provider: settings.name, intervalMs });
  return {
    ...provider,
    groupsOf: (person) => memberships.groupsOf(person),
    async close() {
      await Promise.all([provider.close(), memberships.close()]);
    },
  };
}

// Secrets print as nothing: a changed one would change nothing in the text.
function revealed(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  const own = this[key];
  return own instanceof Redacted ? own.reveal() : value;
}
