// docs/faults.md: written from what the tests have seen, and read to compare it with what they see now.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { table } from '../../scripts/markdown.ts';
import type { Section } from './sections.ts';
import type { Row } from './stage.ts';

const file = join(import.meta.dirname, '../../docs/faults.md');

/** These are figures of one run, and not compared. */
const measured = new Set(['Slowest', 'Well after']);

const cellsOf = (line: string) =>
  line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());

/** The lines of a section's table, cell by cell; its heads are the first. */
function tableOf(section: string): readonly (readonly string[])[] {
  const [, text = ''] = (existsSync(file) ? readFileSync(file, 'utf8') : '').split(`\n## ${section}\n`);
  const lines = (text.split('\n## ', 1)[0] ?? '').split('\n').filter((line) => line.startsWith('|'));
  return lines.filter((line) => !line.startsWith('|---')).map(cellsOf);
}

/** The row of a fault, as the page has it. */
export function documented(section: string, fault: string): Row | undefined {
  const [heads = [], ...rows] = tableOf(section);
  const cells = rows.find(([name]) => name === fault);
  return cells && Object.fromEntries(heads.map((head, index) => [head, cells[index] ?? '']));
}

/** The faults that the page tells of in a section. */
export function faultsOf(section: string): readonly (string | undefined)[] {
  const [, ...rows] = tableOf(section);
  return rows.map(([name]) => name);
}

export function withoutMeasured(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([head]) => !measured.has(head)));
}

interface Told extends Pick<Section, 'title' | 'about'> {
  readonly rows: readonly Row[];
}

export function writeDocument(intro: string, sections: readonly Told[]): void {
  const parts = sections.map(({ title, about, rows }) => {
    const heads = Object.keys(rows[0] ?? {});
    const cells = rows.map((row) => heads.map((head) => row[head] ?? ''));
    return `## ${title}\n\n${about}\n\n${table(heads, cells)}`;
  });
  writeFileSync(file, `${intro}\n${parts.join('\n\n')}\n`);
}
