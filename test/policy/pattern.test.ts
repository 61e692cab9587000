// Patterns: what matches, what is refused and why, and that none costs more than its limit, however it is made.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compilePattern } from '../../src/policy/pattern.ts';
import type { PatternAnswer } from '../../src/policy/pattern.ts';
import { hostilePatterns } from './hostile.ts';

function answer(pattern: string, text: string, extent?: 'Whole' | 'Part'): PatternAnswer {
  const compiled = compilePattern(pattern, extent);
  assert.ok(!('mistake' in compiled), `${pattern} compiles`);
  return compiled.ok(text);
}

function mistakeOf(pattern: string): string | undefined {
  const compiled = compilePattern(pattern);
  return 'mistake' in compiled ? compiled.mistake : undefined;
}

describe('a pattern', () => {
  test('matches the whole text', () => {
    const cases: [string, string, boolean][] = [
      ['[a-z.]+@example\\.com', 'ana.berg@example.com', true],
      ['[a-z.]+@example\\.com', 'ana.berg@example.com.evil.org', false],
      ['[a-z.]+@example\\.com', 'x ana.berg@example.com', false],
      ['example', 'an example', false],
      ['a|ab', 'ab', true],
      ['a|ab|', '', true],
      ['ana', 'ana\n', false],
      ['ana$', 'ana\n', false],
      ['(?m)^ana$', 'eve\nana\neve', false],
      ['.*', 'a\nb', false],
      ['(?s).*', 'a\nb', true],
      ['(?i)ANA', 'ana', true],
      ['/api/v[0-9]{1,3}/.*', '/api/v12/users', true],
      ['\\pL+', 'Ωé', true],
      ['.', '\u{1F600}', true],
      ['[[:alpha:]]+', 'abc', true],
      ['[]a]+', ']a', true],
      ['\\Qa.b\\E', 'a.b', true],
      ['\\Qa.b\\E', 'axb', false],
      ['a{2,}', 'aaaa', true],
      ['a{2}', 'aaa', false],
      ['', '', true],
      ['', 'a', false],
    ];
    for (const [pattern, text, expected] of cases)
      assert.equal(answer(pattern, text), expected, `${pattern} on ${text}`);
  });

  test('matches a part where only that is asked', () => {
    assert.equal(answer('b+', 'abbc', 'Part'), true);
    assert.equal(answer('^b+', 'abbc', 'Part'), false);
    assert.equal(answer('c$', 'abbc', 'Part'), true);
  });

  test('is refused with what is wrong', () => {
    const cases: [string, RegExp][] = [
      ['(a', /missing closing \)/],
      ['[a', /missing closing \]/],
      ['a**', /invalid nested repetition operator/],
      ['(?=a)', /./],
      ['(?<!a)b', /./],
      ['(a)\\1', /invalid escape sequence/],
      ['a{1001}', /invalid repeat count/],
      ['a'.repeat(1025), /longer than 1024 characters/],
      ['(a{1000}){1000}', /too large/],
      ['a{1000}'.repeat(140), /too large/],
      ['((a{1,10}){1,10}b){1,10}', /too large/],
      ['\\pL{1000}', /too large/],
      ['[^\\p{Greek}]{100}', /too large/],
      ['(?i)\\pL', /only ASCII/],
      ['(?i)[\\x{42}-\\x{1E942}]', /only ASCII/],
      ['(?si)é', /only ASCII/],
    ];
    for (const [pattern, expected] of cases) assert.match(mistakeOf(pattern) ?? 'none', expected, pattern.slice(0, 60));
  });

  test('of ordinary size is not refused', () => {
    const patterns = [
      '[a-z0-9._%+-]{1,64}@([a-z0-9-]{1,63}\\.){1,4}[a-z]{2,24}',
      '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}',
      '\\p{Lu}\\p{L}{1,30}',
      '[[:alpha:]][[:alnum:]]{0,253}',
      '(?i)[a-z]{1,200}',
    ];
    for (const pattern of patterns) assert.equal(mistakeOf(pattern), undefined, pattern);
  });

  test('says so where a text is too long for it, and never says that it does not match', () => {
    assert.equal(answer('a*', 'a'.repeat(8192)), true);
    assert.equal(answer('a*', 'a'.repeat(8193)), 'Error');
    assert.equal(answer('a*', 'a'.repeat(8193), 'Part'), 'Error');
    assert.equal(answer('[ab]*a[ab]{400}', 'a'.repeat(1000)), 'Error', 'a large pattern judges less');
  });

  test('never works more than its limit, whoever wrote it', () => {
    assert.ok(hostilePatterns.length >= 25);
    for (const [pattern, alphabet] of hostilePatterns) {
      const compiled = compilePattern(pattern);
      if ('mistake' in compiled) continue;
      for (let length = 1; length <= 16_384; length *= 2) {
        assert.ok(compiled.work(length) <= 65_536, `${pattern.slice(0, 60)} on ${length}`);
        const isJudged: boolean = compiled.ok(alphabet.repeat(length).slice(0, length)) !== 'Error';
        assert.equal(
          isJudged,
          compiled.work(length) > 0,
          'what it does not judge costs nothing, and the other way round',
        );
      }
    }
  });

  test('says of each text what re2 says without its limits', () => {
    for (const text of ['', 'a', 'ab', 'ba', 'aab', 'abab', 'b'.repeat(40), 'ab'.repeat(40)]) {
      assert.equal(answer('[ab]*a[ab]{20}', text), /^[ab]*a[ab]{20}$/.test(text), text);
      assert.equal(answer('(a|b)*(ab|ba)?', text), /^(a|b)*(ab|ba)?$/.test(text), text);
    }
  });
});
