// What a policy looks up: the content of a ConfigMap as a set of texts, as long as it is fresh.
import type { DataSet, DataSetContent } from '../model/policy.ts';
import type { Compiling } from './truth.ts';

const membersOf = new WeakMap<DataSetContent, ReadonlySet<string>>();

/** The elements of a list, the keys of a map; made once for each content. */
function members(content: DataSetContent): ReadonlySet<string> {
  let set = membersOf.get(content);
  if (set === undefined) {
    set = new Set(Array.isArray(content) ? content : Object.keys(content));
    membersOf.set(content, set);
  }
  return set;
}

/** The content that may be believed at a moment; undefined: there is none, or it is stale. */
export function freshContent(dataSet: DataSet | undefined, now: number): DataSetContent | undefined {
  if (dataSet?.content === undefined) return undefined;
  return dataSet.staleAt !== undefined && now >= dataSet.staleAt ? undefined : dataSet.content;
}

/** What stands in the data set of a name at a moment; undefined where that cannot be told. */
export function compileDataSet(
  name: string,
  { dataSets }: Compiling,
): (now: number) => ReadonlySet<string> | undefined {
  const dataSet = Object.hasOwn(dataSets, name) ? dataSets[name] : undefined;
  return (now) => {
    const content = freshContent(dataSet, now);
    return content && members(content);
  };
}
