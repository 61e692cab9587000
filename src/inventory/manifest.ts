// One file of manifests: its documents as objects of our kinds, what is wrong with it, and the line of each field.
import { LineCounter, isNode, parseAllDocuments } from 'yaml';
import type { Document, ParsedNode } from 'yaml';
import type { Collection } from '../model/objects.ts';
import { admit, isMapping } from './admission.ts';
import type { RawObject } from './cache.ts';
import { findNode } from './fields.ts';

/** What is wrong with a file, which no object can be blamed for. */
export interface Problem {
  readonly code: 'ManifestInvalid';
  readonly file: string;
  /** From 1; 0 for the file as a whole. */
  readonly line: number;
  readonly message: string;
}

/** Where an object stands in its file: the document's number, and the item's within a List. */
export interface Place {
  readonly document: number;
  readonly item?: number;
}

export interface ManifestObject {
  readonly collection: Collection;
  readonly object: RawObject;
  readonly place: Place;
  readonly line: number;
}

export interface Manifest {
  readonly objects: readonly ManifestObject[];
  readonly problems: readonly Omit<Problem, 'file'>[];
}

/** Reads the text of a file. Never throws: what is wrong comes back as problems. */
export function readManifest(source: string): Manifest {
  const parsed = parseDocuments(source);
  const objects: ManifestObject[] = [];
  const problems: Omit<Problem, 'file'>[] = [];
  const blame = (line: number, message: string) => problems.push({ code: 'ManifestInvalid', line, message });
  for (const [index, document] of parsed.documents.entries()) {
    for (const { pos, message } of document.errors) blame(parsed.lines.linePos(pos[0]).line, message);
    if (document.errors.length > 0) continue;
    for (const [place, value] of objectsOf(document, index)) {
      if (value instanceof Error) {
        blame(lineAt(parsed, place, ''), value.message);
        continue;
      }
      const admission = admit(value);
      if (admission.verdict === 'Refused') blame(lineAt(parsed, place, admission.path), admission.message);
      if (admission.verdict !== 'Admitted') continue;
      const { collection, object } = admission;
      objects.push({ collection, object, place, line: lineAt(parsed, place, '') });
    }
  }
  return { objects, problems };
}

/** The line of a field of an object, or of the nearest parent that exists. Lines count from 1. */
export function lineOfField(source: string, place: Place, path: string): number {
  return lineAt(parseDocuments(source), place, path);
}

interface Parsed {
  readonly source: string;
  readonly documents: readonly Document<ParsedNode>[];
  readonly lines: LineCounter;
}

// Trees are many times larger than their text, so that only the last one is kept: questions about one file come together.
let lastParsed: Parsed | undefined;

function parseDocuments(source: string): Parsed {
  if (lastParsed?.source === source) return lastParsed;
  const lines = new LineCounter();
  const options = { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' } as const;
  const documents = parseAllDocuments(source, options);
  lastParsed = { source, documents: Array.isArray(documents) ? documents : [], lines };
  return lastParsed;
}

/** A document's one object, or the items of its List; an Error where aliases multiply beyond all bounds. */
function objectsOf(document: Document<ParsedNode>, index: number): [Place, unknown][] {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return [[{ document: index }, error instanceof Error ? error : new Error(String(error))]];
  }
  if (value === null || value === undefined) return [];
  if (!isMapping(value) || value['kind'] !== 'List' || !Array.isArray(value['items'])) {
    return [[{ document: index }, value]];
  }
  return value['items'].map((object, item) => [{ document: index, item }, object]);
}

function lineAt({ documents, lines }: Parsed, place: Place, path: string): number {
  const document = documents[place.document];
  const root = place.item === undefined ? document?.contents : document?.getIn(['items', place.item], true);
  const found = isNode(root) ? findNode(root, path) : undefined;
  const offset = found?.range?.[0];
  return offset === undefined ? 1 : lines.linePos(offset).line;
}
