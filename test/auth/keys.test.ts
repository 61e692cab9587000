// The key ring: what is sealed for one use, one thing and one ring opens there and nowhere else.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { createKeyRing, indexValue, seal, serializeKeyRing, unseal } from '../../src/auth/keys.ts';
import type { Purpose } from '../../src/auth/keys.ts';
import type { KeyRing } from '../../src/model/settings.ts';

const purposes: readonly Purpose[] = [
  'flow',
  'request',
  'host-cookie',
  'listing',
  'body',
  'index',
  'journey',
  'return',
];
const ring = createKeyRing();
const [key] = ring;
const secret = randomBytes(32);
const base64url = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const opened = (...args: Parameters<typeof unseal>) => unseal(...args)?.toString();

describe('what is sealed', () => {
  test('opens with the same ring, purpose, binding and secret', () => {
    for (const purpose of purposes) {
      assert.equal(opened(ring, purpose, seal(ring, purpose, 'text', 'bound'), 'bound'), 'text');
      assert.equal(opened(ring, purpose, seal(ring, purpose, 'text', 'bound', secret), 'bound', secret), 'text');
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'grapheme' }), (plain, bound) => {
        assert.deepEqual(unseal(ring, 'flow', seal(ring, 'flow', plain, bound), bound), Buffer.from(plain));
      }),
    );
  });

  test('for one purpose is refused for every other', () => {
    for (const purpose of purposes) {
      const sealed = seal(ring, purpose, 'text', 'bound');
      const withSecret = seal(ring, purpose, 'text', 'bound', secret);
      for (const other of purposes.filter((one) => one !== purpose)) {
        assert.equal(unseal(ring, other, sealed, 'bound'), undefined, `${purpose} as ${other}`);
        assert.equal(
          unseal(ring, other, withSecret, 'bound', secret),
          undefined,
          `${purpose} as ${other}, with secret`,
        );
      }
    }
  });

  test('to one thing is refused for every other', () => {
    const bindings = ['', 'a', 'a ', ' a', 'A', 'a b', 'ab', 'a.example.com x', 'b.example.com x', 'a.example.com:1 x'];
    for (const bound of bindings) {
      const sealed = seal(ring, 'host-cookie', 'text', bound);
      for (const other of bindings) {
        assert.equal(opened(ring, 'host-cookie', sealed, other), other === bound ? 'text' : undefined);
      }
    }
  });

  test('with a secret needs that secret, and without one opens with none', () => {
    const sealed = seal(ring, 'body', 'text', 'bound', secret);
    assert.equal(unseal(ring, 'body', sealed, 'bound'), undefined);
    assert.equal(unseal(ring, 'body', sealed, 'bound', randomBytes(32)), undefined);
    assert.equal(unseal(ring, 'body', sealed, 'bound', secret.subarray(0, 31)), undefined);
    assert.equal(unseal(ring, 'body', sealed, 'bound', new Uint8Array()), undefined);
    assert.equal(unseal(ring, 'body', seal(ring, 'body', 'text', 'bound'), 'bound', secret), undefined);
  });

  test('is refused by another ring, even one that calls its key the same', () => {
    const [other] = createKeyRing();
    const sealed = seal(ring, 'flow', 'text', 'bound');
    assert.equal(unseal([other], 'flow', sealed, 'bound'), undefined);
    assert.equal(unseal([{ ...other, id: key.id }], 'flow', sealed, 'bound'), undefined);
  });

  test('differs each time, in every byte that follows the name of the key', () => {
    const seals = Array.from({ length: 50 }, () => seal(ring, 'flow', 'text', 'bound').split('.')[1]);
    assert.equal(new Set(seals.map((sealed) => sealed?.slice(0, 16))).size, 50);
  });

  test('is refused with a bit flipped anywhere, and in any other spelling of the same bytes', () => {
    // Lengths of every remainder: base64url leaves bits unused at the end of two of the three.
    for (const plain of ['', 'a', 'ab', 'abc']) {
      const sealed = seal(ring, 'flow', plain, 'bound');
      const start = sealed.indexOf('.') + 1;
      for (let at = 0; at < sealed.length; at += 1) {
        for (const other of at < start ? 'x.' : base64url) {
          if (other === sealed[at]) continue;
          const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
          assert.equal(unseal(ring, 'flow', changed, 'bound'), undefined, `${other} at ${at} of ${sealed.length}`);
        }
      }
      const [id = '', rest = ''] = sealed.split('.');
      const spellings = [`${rest}=`, `${rest}!`, ` ${rest}`, `${rest}\n`, rest.replace(/[-_]/, '+'), `${rest}.${rest}`];
      for (const spelling of spellings.filter((one) => one !== rest)) {
        assert.equal(unseal(ring, 'flow', `${id}.${spelling}`, 'bound'), undefined, JSON.stringify(spelling));
      }
    }
  });

  test('is refused when it is cut short, or lengthened', () => {
    const sealed = seal(ring, 'flow', 'some text', 'bound');
    for (let length = 0; length < sealed.length; length += 1) {
      assert.equal(unseal(ring, 'flow', sealed.slice(0, length), 'bound'), undefined);
    }
    for (const more of ['A', 'AA', 'AAA', 'AAAA'])
      assert.equal(unseal(ring, 'flow', sealed + more, 'bound'), undefined);
  });

  test('is never mistaken for by any text at all, and no text makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom(...purposes), (text, purpose) => {
        assert.equal(unseal(ring, purpose, text, ''), undefined);
        assert.equal(unseal(ring, purpose, `${key.id}.${text}`, ''), undefined);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a ring of [new, old]', () => {
  const old = createKeyRing();
  const [fresh] = createKeyRing();
  const rotated: KeyRing = [fresh, old[0]];

  test('opens what the old one sealed', () => {
    assert.equal(opened(rotated, 'flow', seal(old, 'flow', 'text', 'bound'), 'bound'), 'text');
    assert.equal(opened(rotated, 'body', seal(old, 'body', 'text', 'bound', secret), 'bound', secret), 'text');
  });

  test('seals with the new key', () => {
    const sealed = seal(rotated, 'flow', 'text', 'bound');
    assert.equal(opened([fresh], 'flow', sealed, 'bound'), 'text');
    assert.equal(unseal(old, 'flow', sealed, 'bound'), undefined);
  });
});

describe('an index value', () => {
  test('is the same for the same, and tells names, values and keys apart', () => {
    const [other] = createKeyRing();
    const values = [
      indexValue(key, 'person', 'ana@example.com'),
      indexValue(key, 'person', 'bob@example.com'),
      indexValue(key, 'subject', 'ana@example.com'),
      indexValue(key, 'person\0ana', '@example.com'),
      indexValue(key, 'personana', '@example.com'),
      indexValue(other, 'person', 'ana@example.com'),
    ];
    assert.equal(new Set(values).size, values.length);
    assert.equal(values[0], indexValue(key, 'person', 'ana@example.com'));
    assert.match(values[0] ?? '', /^[A-Za-z0-9_-]{43}$/);
  });
});

describe('a fresh ring', () => {
  test('is another each time, its name fit for a sealed text', () => {
    const rings = Array.from({ length: 20 }, createKeyRing);
    assert.equal(new Set(rings.map(([one]) => one.id)).size, 20);
    for (const [one] of rings) assert.match(one.id, /^[A-Za-z0-9]{8}$/);
  });

  test('cannot be printed', () => {
    const { id, secret: bytes, signingKey } = key;
    const printed = `${inspect(ring, { depth: 9 })} ${JSON.stringify(ring)} ${String(bytes)} ${String(signingKey)}`;
    assert(printed.includes(id));
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      assert.equal(printed.includes(Buffer.from(bytes.reveal()).toString(encoding)), false);
    }
    assert.equal(printed.includes('PRIVATE KEY'), false);
  });

  test('survives being written down', () => {
    const [written] = JSON.parse(serializeKeyRing(ring)) as { id: string; secret: string; signingKey: string }[];
    assert.equal(written?.id, key.id);
    assert.deepEqual(Buffer.from(written.secret, 'base64url'), Buffer.from(key.secret.reveal()));
    assert.equal(written.signingKey, key.signingKey.reveal());
  });
});
