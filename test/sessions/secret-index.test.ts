// What the store in Secrets knows of its records: its own writes, and a watch that is late, repeats itself, or had a gap.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSecretIndex } from '../../src/sessions/secret-index.ts';
import { parseMetadata, parseRecord, secretName, secretOf } from '../../src/sessions/secret-record.ts';
import type { SecretMetadata } from '../../src/sessions/secret-record.ts';
import type { RecordChange, StoredRecord } from '../../src/sessions/store.ts';

function makeIndex() {
  let now = 0;
  const index = createSecretIndex(() => now);
  const heard: string[] = [];
  const say = (news: RecordChange) => (news.change === 'unknown' ? 'unknown' : `${news.change} ${news.id}`);
  index.watch((news) => void heard.push(say(news)));
  index.replaceAll([], '0');
  index.setHearing(true);
  return { index, heard, advance: (ms: number) => void (now += ms) };
}

const secret = (id: string, resourceVersion: number, more: Partial<SecretMetadata> = {}): SecretMetadata => ({
  name: secretName('session', id),
  type: 'session',
  id,
  uid: `uid of ${id}`,
  resourceVersion: String(resourceVersion),
  expiresAt: 10_000,
  ...more,
});

test('a change is told once, whether our own write or the watch knows of it first', () => {
  const { index, heard } = makeIndex();
  index.put(secret('a', 9));
  index.put(secret('a', 9));
  index.put(secret('a', 10));
  index.put(secret('a', 9));
  index.drop(secret('a', 10));
  index.drop(secret('a', 11));
  assert.deepEqual(heard, ['created a', 'replaced a', 'removed a']);
});

test('what comes late of a Secret that has ended does not bring it back', () => {
  const { index, heard } = makeIndex();
  index.put(secret('a', 1));
  index.drop(secret('a', 1));
  index.put(secret('a', 2));
  assert.equal(index.get(secretName('session', 'a')), undefined);
  assert.deepEqual(heard, ['created a', 'removed a']);
});

test('another life under the same name ends the first, though nobody said so', () => {
  const { index, heard } = makeIndex();
  index.put(secret('a', 1));
  index.put(secret('a', 5, { uid: 'second' }));
  index.drop(secret('a', 1));
  assert.deepEqual(heard, ['created a', 'removed a', 'created a']);
  assert.equal(index.get(secretName('session', 'a'))?.uid, 'second');
});

test('a list tells what went and came in a gap, and nothing of what is newer than itself', () => {
  const { index, heard } = makeIndex();
  index.put(secret('went', 1));
  index.put(secret('stayed', 2));
  index.put(secret('ours', 9));
  heard.length = 0;
  index.replaceAll([secret('stayed', 2), secret('came', 4)], '5');
  assert.deepEqual(heard, ['removed went', 'created came']);
  assert.ok(index.get(secretName('session', 'ours')));
});

test('the first list is no news', () => {
  const index = createSecretIndex(() => 0);
  const heard: RecordChange[] = [];
  index.watch((news) => void heard.push(news));
  index.replaceAll([secret('a', 1)], '1');
  assert.deepEqual(heard, []);
  assert.equal(index.count('session'), 1);
});

test('an end is told once, a moment after it, and taken back where it was put off meanwhile', () => {
  const { index, heard, advance } = makeIndex();
  index.put(secret('a', 1));
  advance(10_000);
  assert.equal(index.count('session'), 0);
  assert.deepEqual(index.tick(), []);
  advance(500);
  assert.equal(index.tick().length, 1);
  assert.equal(index.tick().length, 1);
  index.put(secret('a', 2, { expiresAt: 99_000 }));
  assert.equal(index.tick().length, 0);
  index.drop(secret('a', 3));
  assert.deepEqual(heard, ['created a', 'removed a', 'created a', 'removed a']);
});

test('while it cannot hear it says so at each tick, and takes nothing for expired', () => {
  const { index, heard, advance } = makeIndex();
  index.put(secret('a', 1));
  index.setHearing(false);
  advance(20_000);
  assert.deepEqual(index.tick(), []);
  index.tick();
  index.setHearing(true);
  assert.deepEqual(heard, ['created a', 'unknown', 'unknown']);
});

test('a record becomes a Secret and is the same again; a Secret that is none of ours is none', () => {
  const record: StoredRecord = {
    type: 'code',
    id: 'Aa-_',
    index: { person: 'x' },
    listing: 'l',
    body: 'b',
    expiresAt: 1_234,
  };
  const made = JSON.parse(JSON.stringify(secretOf(record, 'n'))) as { metadata: Record<string, unknown>; data: object };
  const stored = { ...made, metadata: { ...made.metadata, uid: 'u', resourceVersion: '1' } };
  assert.deepEqual(parseRecord(stored)?.record, record);
  assert.match(String(made.metadata['name']), /^code-[0-9a-f]+$/);
  const broken = [
    undefined,
    null,
    {},
    { metadata: {} },
    { ...stored, metadata: { ...stored.metadata, name: 'code-' } },
    { ...stored, metadata: { ...stored.metadata, name: 'code-4142-43' } },
    { ...stored, metadata: { ...stored.metadata, name: 'other-41' } },
    { ...stored, metadata: { ...stored.metadata, annotations: { 'sallyport.dev/expires-at': 'soon' } } },
    { ...stored, metadata: { ...stored.metadata, annotations: undefined } },
  ];
  for (const one of broken) assert.equal(parseMetadata(one), undefined, JSON.stringify(one));
  for (const content of ['', '[]', '{"index":[],"listing":"","body":""}', '{"index":{"a":1},"listing":"","body":""}']) {
    const data = { 'record.json': Buffer.from(content).toString('base64') };
    assert.equal(parseRecord({ ...stored, data }), undefined, content);
  }
});
