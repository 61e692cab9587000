// From a Policy or ClusterPolicy object to the policy that the proxy judges by, with the content of its data sets.
import { configMapText } from './content.ts';
import { complain, metadataEntry } from './parse.ts';
import { createMemory } from './remember.ts';
import type { World } from './world.ts';
import { parse as parseYaml } from 'yaml';
import type { Diagnostic } from '../model/diagnostic.ts';
import { parseDuration } from '../model/duration.ts';
import type { ClusterPolicySpec, PolicySpec } from '../model/policy-kinds.ts';
import { configMapContent } from '../model/objects.ts';
import type { KubernetesObject } from '../model/objects.ts';
import { dataSetContent } from '../model/policy.ts';
import type { DataSet, DataSetContent, DataSets, Policy } from '../model/policy.ts';
import { parseClusterPolicy, parsePolicy } from '../policy/parse.ts';

export interface PolicyReading {
  readonly object: KubernetesObject;
  /** The same for as long as neither the object nor the content of its data sets changes. */
  readonly policy: Policy;
  readonly diagnostics: readonly Diagnostic[];
}

const refreshedAnnotation = 'sallyport.dev/refreshed-at';

const rememberPolicy = createMemory<PolicyReading>();

/** Reads a Policy or a ClusterPolicy, and notes the ConfigMaps that it names. */
export function readPolicy(world: World, object: KubernetesObject): PolicyReading {
  const { policy, spec, diagnostics } = object.kind === 'Policy' ? parsePolicy(object) : parseClusterPolicy(object);
  if (spec?.dataSets === undefined || policy.broken !== undefined) return { object, policy, diagnostics };
  const references = spec.dataSets.map((dataSet: Declared) => ({
    dataSet,
    found: world.configMap(namespaceOf(dataSet, object), dataSet.configMapRef.name),
  }));
  const ages = references.map(({ dataSet, found }) => isStale(dataSet, found, world));
  return rememberPolicy(object, [...references.map(({ found }) => found), ...ages], () => {
    const read = references.map((one, index) => readDataSet(object, one, index, ages[index] === true));
    const dataSets: DataSets = Object.fromEntries(
      read.map(({ dataSet }, index) => [references[index]?.dataSet.name ?? '', dataSet]),
    );
    return {
      object,
      policy: { ...policy, dataSets },
      diagnostics: [...diagnostics, ...read.flatMap((one) => one.diagnostic ?? [])],
    };
  });
}

type Declared = NonNullable<PolicySpec['dataSets'] | ClusterPolicySpec['dataSets']>[number];
type Found = ReturnType<World['configMap']>;

function namespaceOf({ configMapRef }: Declared, { metadata }: KubernetesObject): string {
  return 'namespace' in configMapRef && typeof configMapRef.namespace === 'string'
    ? configMapRef.namespace
    : (metadata.namespace ?? '');
}

/** When the content grows too old; undefined where it does not age, or nobody says how old it is. */
function staleAt({ staleAfter }: Declared, found: Found): number | undefined {
  if (staleAfter === undefined || typeof found === 'string') return undefined;
  const refreshed = metadataEntry(found, 'annotations', refreshedAnnotation);
  const at = typeof refreshed === 'string' ? Date.parse(refreshed) : Number.NaN;
  return Number.isNaN(at) ? undefined : at + parseDuration(staleAfter);
}

function isStale(dataSet: Declared, found: Found, { isPast }: World): boolean {
  const at = staleAt(dataSet, found);
  return at !== undefined && isPast(at);
}

interface Reading {
  readonly dataSet: DataSet;
  readonly diagnostic?: Diagnostic;
}

function readDataSet(
  object: KubernetesObject,
  { dataSet, found }: { readonly dataSet: Declared; readonly found: Found },
  index: number,
  stale: boolean,
): Reading {
  const { name, configMapRef, staleAfter } = dataSet;
  const where = `ConfigMap ${namespaceOf(dataSet, object)}/${configMapRef.name}`;
  const path = `spec.dataSets[${index}]`;
  const lost = 'until it can be read, whatever asks for it counts against the request';
  const wrong = (what: string): Reading => ({
    dataSet: {},
    diagnostic: complain(object, 'DataSetInvalid', `${path}.configMapRef`, `${what}: ${lost}`),
  });
  if (found === 'pending') return { dataSet: {} };
  if (found === 'missing') return wrong(`there is no ${where}`);
  if (found === 'forbidden') return wrong(`${where} cannot be read: the installation may not get ConfigMaps there`);
  if (found === 'unwatched') return wrong(`${where} is in a namespace that this installation does not serve`);
  const content = readContent(found, configMapRef.key);
  if (typeof content === 'string') return wrong(`${where}: ${content}`);
  if (staleAfter === undefined) return { dataSet: { content } };
  const at = staleAt(dataSet, found);
  if (at === undefined) {
    return wrong(
      `${where} has no annotation ${refreshedAnnotation} with a moment of RFC 3339, which staleAfter counts from`,
    );
  }
  if (!stale) return { dataSet: { content, staleAt: at } };
  const message = `data set ${name} is stale since ${new Date(at).toISOString()}: until ${where} is refreshed, whatever asks for it counts against the request`;
  return { dataSet: { content, staleAt: at }, diagnostic: complain(object, 'DataSetStale', path, message, 'warning') };
}

/** A list or a map; or what is wrong with the text. */
function readContent(configMap: KubernetesObject, key: string | undefined): DataSetContent | string {
  if (key === undefined) {
    const read = configMapContent.safeParse(configMap);
    return read.success ? (read.data.data ?? {}) : 'its data cannot be read';
  }
  const text = configMapText(configMap, key);
  if (text === undefined) return `there is no key ${key} in it`;
  const parsed = dataSetContent.safeParse(yamlOf(text));
  return parsed.success ? parsed.data : `a list of texts (one "- name" a line) or a map is wanted under its key ${key}`;
}

/** `undefined` where it is no YAML. Aliases are few, so that a small text does not become a large value. */
function yamlOf(text: string): unknown {
  try {
    // `error` keeps warnings quiet; `silent` would pass a list that breaks off in the middle for a shorter one.
    return parseYaml(text, { maxAliasCount: 16, logLevel: 'error', prettyErrors: false });
  } catch {
    return undefined;
  }
}
