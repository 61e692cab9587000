// The mutants of a source file: one comparison, constant or operator of it changed at a time.
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { code } from './markdown.ts';

const root = join(import.meta.dirname, '..');

/** What stands there, and what is put in its place. oxfmt sees to the spaces. */
const mutations: readonly (readonly [RegExp, string])[] = [
  [/===/g, '!=='],
  [/!==/g, '==='],
  [/(?<= )<(?= )/g, '<='],
  [/(?<= )<=(?= )/g, '<'],
  [/(?<= )>(?= )/g, '>='],
  [/(?<= )>=(?= )/g, '>'],
  [/&&/g, '||'],
  [/\|\|/g, '&&'],
  [/(?<= )&(?= )/g, '|'],
  [/(?<= )\|(?= )/g, '&'],
  [/(?<= )\^(?= )/g, '|'],
  [/(?<= )\+(?= )/g, '-'],
  [/(?<= )-(?= )/g, '+'],
  [/\btrue\b/g, 'false'],
  [/\bfalse\b/g, 'true'],
  [/\bsome\b(?=\()/g, 'every'],
  [/\bevery\b(?=\()/g, 'some'],
  [/\bstartsWith\b(?=\()/g, 'endsWith'],
  [/\bendsWith\b(?=\()/g, 'startsWith'],
  [/(?<=[?:] |return |\()against\b/g, '0'],
  [/\bfailed\b(?=;)/g, '0'],
  [/!(?=[a-z(])/g, ''],
];

export interface Mutant {
  readonly file: string;
  readonly source: string;
  /** `file: line of code: from → to`, by which test/policy/mutants.json knows those that change nothing. */
  readonly name: string;
  readonly cells: readonly string[];
}

/** Types, comments and texts are blanked, and everything else stays where it is. */
function bare(source: string): string {
  const unseen =
    /\/\*[^]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|\/(?![ /*])(?:\\.|\[[^\]\n]*\]|[^/\\\n])+\/[a-z]*|^import .*/gm;
  return stripTypeScriptTypes(source).replaceAll(unseen, (text) => text.replaceAll(/[^\n]/g, ' '));
}

export function mutantsOf(file: string): readonly Mutant[] {
  const source = readFileSync(join(root, file), 'utf8');
  const found = mutations.flatMap(([from, to]) => [...bare(source).matchAll(from)].map((match) => ({ match, to })));
  return found.map(({ match: { 0: from, index }, to }) => {
    const start = source.lastIndexOf('\n', index) + 1;
    const line = source.slice(start, source.indexOf('\n', index)).trim();
    const nth = line.split(from).length > 2 ? ` (${source.slice(start, index).split(from).length})` : '';
    const change = `${from} → ${to === '' ? 'nothing' : to}${nth}`;
    return {
      file,
      source: source.slice(0, index) + to + source.slice(index + from.length),
      name: `${file}: ${line}: ${change}`,
      cells: [code(file.replace('src/policy/', '')), code(line), code(change)],
    };
  });
}
