// Text for people: wrapped at a width that fits a terminal and a pull request, columns, and nothing that moves a cursor.
const width = 100;

/** Lines of at most `width` columns; those after the first begin with `indent` spaces. A word is never broken. */
export function wrap(text: string, indent = 0): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.trimStart().split(' ')) {
    const start = lines.length === 0 ? (/^ */.exec(text)?.[0].length ?? 0) : indent;
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = `${' '.repeat(indent)}${word}`;
    } else line = line === '' ? `${' '.repeat(start)}${word}` : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

/** `Label   text`, the text wrapped under itself. */
export function labelled(label: string, texts: readonly string[], indent = 10): readonly string[] {
  return texts.map((text, index) => wrap(`${(index === 0 ? label : '').padEnd(indent - 1)} ${text}`, indent));
}

/** Columns as wide as they need to be, the last one left as it is. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(column === row.length - 1 ? 0 : (widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** What came from elsewhere, such as a header: without control characters, which a terminal would obey. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\u{fffd}');
}

/** A value as a policy would spell it, in one line: `[staff, core]`, `{has: engineering}`. */
export function inline(value: unknown): string {
  if (typeof value === 'string') return /^[\w@.:/*+-][\w@.:/*+ -]*$/.test(value) ? value : JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'nothing';
  return `{${Object.entries(value)
    .map(([name, one]) => `${name}: ${inline(one)}`)
    .join(', ')}}`;
}

/** Not longer than anybody reads. */
export function short(text: string, most = 60): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
