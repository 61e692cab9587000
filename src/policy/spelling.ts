// What a misspelt name was probably meant to be.

// Longer names are nobody's typo, and cost time.
const maxLength = 64;

/** The known name that is at most two edits away, and not merely as short as that. `http_method` is `httpMethod`. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > maxLength) return undefined;
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[_-]/g, '');
  const wanted = plain(name);
  const distances = known.map((candidate) => ({ candidate, edits: editDistance(wanted, plain(candidate)) }));
  const [best] = distances.sort((a, b) => a.edits - b.edits);
  return best !== undefined && best.edits <= Math.min(2, wanted.length / 2) ? best.candidate : undefined;
}

/** Levenshtein's, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 0; i < from.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j += 1) {
      const substituted = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1);
      next.push(Math.min(substituted, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
