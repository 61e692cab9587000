// Asks what a changed cookie does: an oracle tells one wrong cookie from another, and from none (CVE-2026-47775, CVE-2026-25748).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asCookie, appHost, authHost, cookiesFor, layGround, sessionValue, visit, visitOnce } from './rig.ts';

const outsideAlphabet = [
  '',
  '%',
  '%00',
  '\0',
  '"',
  'é',
  '\u{1F511}',
  '..',
  '.',
  'a'.repeat(1 << 20),
  '{}',
  'undefined',
];

test('every changed cookie gets exactly the answer that no cookie gets', async (t) => {
  const { house, victim } = await layGround(t);
  await visit(victim, `https://${appHost}/`);
  for (const host of [appHost, authHost]) {
    const cookies = cookiesFor(victim, host);
    const honest = cookies.get('__Host-sallyport');
    assert(honest);
    const answerTo = async (value: string | undefined) => {
      if (value === undefined) cookies.delete('__Host-sallyport');
      else cookies.set('__Host-sallyport', { ...honest, value });
      return visitOnce(victim, new URL(`https://${host}/.sallyport/user`));
    };
    const none = await answerTo(undefined);
    assert(none.kind === 'Json' && none.status === 401);
    const { value } = honest;
    for (let at = 0; at < value.length; at += 1) {
      for (const letter of [value[at] === 'A' ? 'Q' : 'A', '.', '!']) {
        if (letter === value[at]) continue;
        assert.deepEqual(
          await answerTo(value.slice(0, at) + letter + value.slice(at + 1)),
          none,
          `${host} ${at} ${letter}`,
        );
      }
      assert.deepEqual(await answerTo(value.slice(0, at)), none);
    }
    for (const other of [...outsideAlphabet, `${value} `, ` ${value}`, `${value}=`, `${value}.`, `"${value}"`]) {
      assert.deepEqual(await answerTo(other), none);
      assert.equal(await house.authority.open(host, asCookie(other)), undefined);
    }
    assert.notDeepEqual(await answerTo(value), none);
    assert.equal(sessionValue(victim, host), value);
  }
});
