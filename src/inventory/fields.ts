// Finds a field of a YAML document by its path, as diagnostics spell paths.
import { isMap, isNode, isScalar, isSeq } from 'yaml';
import type { Node } from 'yaml';

/**
 * Follows a path such as `spec.rules[0].host` or `metadata.annotations[sallyport.dev/policy]` as far as there are nodes.
 * A key may hold dots itself: the longest one that fits is taken.
 */
export function findNode(root: Node, path: string): Node {
  let node: Node | undefined = root;
  let found = root;
  let rest = path;
  while (node !== undefined && rest !== '') {
    const step: Found | undefined = isMap(node)
      ? stepIntoMap(node.items, rest)
      : isSeq(node)
        ? stepIntoSequence(node.items, rest)
        : undefined;
    if (step === undefined) break;
    found = step.at;
    node = isNode(step.value) ? step.value : undefined;
    rest = step.rest;
  }
  return found;
}

interface Found {
  readonly at: Node;
  readonly value: unknown;
  readonly rest: string;
}

function stepIntoMap(items: readonly { key: unknown; value: unknown }[], path: string): Found | undefined {
  let best: (Found & { length: number }) | undefined;
  for (const { key, value } of items) {
    if (!isScalar(key)) continue;
    const name = String(key.value);
    for (const spelling of [name, `.${name}`, `[${name}]`, `["${name}"]`, `['${name}']`]) {
      const rest = path.slice(spelling.length);
      const fits = path.startsWith(spelling) && (rest === '' || rest.startsWith('.') || rest.startsWith('['));
      if (fits && spelling.length > (best?.length ?? 0)) best = { at: key, value, rest, length: spelling.length };
    }
  }
  return best;
}

function stepIntoSequence(items: readonly unknown[], path: string): Found | undefined {
  const [spelling, index] = /^\.?\[?(\d+)\]?/.exec(path) ?? [];
  if (spelling === undefined) return undefined;
  const item = items[Number(index)];
  return isNode(item) ? { at: item, value: item, rest: path.slice(spelling.length) } : undefined;
}
