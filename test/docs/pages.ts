// The pages that people read, and the blocks of code in them.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** Every page, by its path in the repository. */
export const pages: readonly string[] = [...globSync('*.md', { cwd: root }), ...globSync('docs/*.md', { cwd: root })];

export interface Block {
  readonly page: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  /** The first word after the fence; empty where there is none. */
  readonly language: string;
  readonly text: string;
}

export function readPage(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

export function blocksOf(page: string): readonly Block[] {
  const text = readPage(page);
  return [...text.matchAll(/^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm)].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length + 1,
    language: match[1] ?? '',
    text: match[2] ?? '',
  }));
}

export function blocksIn(...languages: readonly string[]): readonly Block[] {
  return pages.flatMap(blocksOf).filter(({ language }) => languages.includes(language));
}

/** What a page says outside of its blocks. */
export function proseOf(page: string): string {
  return readPage(page).replaceAll(/^```[\s\S]*?^```$/gm, '');
}
