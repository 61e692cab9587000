// Every fault of a store and a provider, lived through by people and programs: docs/faults.md tells what they saw.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { documented, faultsOf, withoutMeasured, writeDocument } from './document.ts';
import { intro, sections } from './sections.ts';
import type { Section } from './sections.ts';
import type { Fault, Row } from './stage.ts';

const isUpdate = process.env['UPDATE'] === '1';
const seen = new Map<string, Row>();

// They wait, for the most part, and need not wait for each other.
describe('faults', { concurrency: sections.length, timeout: 600_000 }, () => {
  for (const section of sections) {
    const { title, skip = false, close } = section;
    describe(title, { concurrency: section.atOnce, skip }, () => {
      after(() => close?.());
      for (const fault of section.faults) test(`${title}: ${fault.name}`, () => live(section, fault));
      test(`${title}: the page tells of these faults, and no others`, { skip: isUpdate }, () => {
        assert.deepEqual(
          faultsOf(title),
          section.faults.map(({ name }) => name),
        );
      });
    });
  }
});

async function live({ title, play }: Section, fault: Fault): Promise<void> {
  const stage = await fault.open();
  try {
    const row = await play(fault, stage);
    seen.set(`${title}: ${fault.name}`, row);
    if (isUpdate) update();
    else assert.deepEqual(withoutMeasured(row), withoutMeasured(documented(title, fault.name) ?? {}));
  } finally {
    await stage.stop();
  }
}

/** What was not played this time stays as it is. */
function update(): void {
  const rowOf = ({ title }: Section, { name }: Fault) => seen.get(`${title}: ${name}`) ?? documented(title, name);
  writeDocument(
    intro,
    sections.map((section) => ({
      ...section,
      rows: section.faults.map((fault) => rowOf(section, fault)).filter((row) => row !== undefined),
    })),
  );
}
