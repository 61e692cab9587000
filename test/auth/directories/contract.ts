// What every directory must do, whoever's it is: one suite, over a server that answers as the provider's reference says.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { DirectoryError } from '../../../src/auth/directories/directory-error.ts';
import type { Directory, Person } from '../../../src/auth/directories/directory.ts';
import { withLure } from './server.ts';
import type { DirectoryServer } from './server.ts';

export interface DirectoryRig {
  readonly server: DirectoryServer;
  readonly directory: Directory;
  /** Somebody with the groups that {@link DirectoryRig.fill} gave last; two at first. */
  readonly person: Person;
  /** Somebody of whom the directory has never heard. */
  readonly stranger: Person;
  /** Whether a request asks for groups, and not for a token. */
  isGroups(path: string): boolean;
  /** Whether a request asks for a token; absent: there is none to ask for. */
  isToken?(path: string): boolean;
  /** Puts the person into so many groups, and gives their names. */
  fill(count: number): readonly string[];
  /** Takes back every token given so far. */
  revokeTokens?(): void;
}

export function testDirectory(name: string, start: (now: () => number) => Promise<DirectoryRig>): void {
  let rig: DirectoryRig;
  let offsetMs = 0;
  beforeEach(async () => {
    offsetMs = 0;
    rig = await start(() => Date.now() + offsetMs);
  });
  afterEach(async () => {
    await rig.server.stop();
    await rig.directory.close();
  });

  const read = () => rig.directory.groupsOf(rig.person);
  const groupsAnswer = (reply: Awaited<ReturnType<NonNullable<DirectoryServer['instead']>>>) => {
    rig.server.instead = ({ url }) => (rig.isGroups(url.pathname) ? reply : undefined);
  };
  const failsWith = (code: string, retryAfterMs?: number) => (error: unknown) => {
    assert(error instanceof DirectoryError, String(error));
    assert.equal(error.code, code, error.message);
    if (retryAfterMs !== undefined) assert.equal(error.retryAfterMs, retryAfterMs);
    return true;
  };

  test(`${name}: a person's groups`, async () => {
    const expected = rig.fill(3);
    assert.deepEqual((await read()).toSorted(), expected.toSorted());
  });

  test(`${name}: 5,000 groups, page after page`, async () => {
    const expected = rig.fill(5_000);
    assert.deepEqual((await read()).toSorted(), expected.toSorted());
    const pages = rig.server.asked.filter(({ url }) => rig.isGroups(url.pathname)).length;
    assert.ok(pages > 5, `${pages} pages`);
  });

  test(`${name}: a group that somebody left is gone`, async () => {
    rig.fill(3);
    await read();
    const expected = rig.fill(1);
    assert.deepEqual(await read(), expected);
  });

  test(`${name}: whom it does not know is in no group`, async () => {
    assert.deepEqual(await rig.directory.groupsOf(rig.stranger), []);
  });

  test(`${name}: 429 with Retry-After is a time to wait`, async () => {
    groupsAnswer({ status: 429, headers: { 'retry-after': '17' } });
    await assert.rejects(read(), failsWith('unavailable', 17_000));
  });

  test(`${name}: 429 without a word asks for a minute`, async () => {
    groupsAnswer({ status: 429 });
    await assert.rejects(read(), failsWith('unavailable', 60_000));
  });

  test(`${name}: 403 is a denial, once asked`, async () => {
    groupsAnswer({ status: 403, body: { error: { message: 'Insufficient permission' } } });
    await assert.rejects(read(), failsWith('denied'));
    assert.equal(rig.server.asked.filter(({ url }) => rig.isGroups(url.pathname)).length, 1);
  });

  test(`${name}: 401 for good is a denial`, async () => {
    groupsAnswer({ status: 401 });
    await assert.rejects(read(), failsWith('denied'));
    await assert.rejects(read(), failsWith('denied'));
  });

  for (const status of [500, 502, 503]) {
    test(`${name}: ${status} is an outage`, async () => {
      groupsAnswer({ status });
      await assert.rejects(read(), failsWith('unavailable'));
    });
  }

  for (const body of ['<html>', '{}', '[[]]', 'null', '{"value":"x","groups":7,"data":[]}', '']) {
    test(`${name}: ${body === '' ? 'nothing' : body} instead of groups is no answer`, async () => {
      groupsAnswer({ status: 200, body });
      // Google leaves out `groups` where there are none: for it alone, an empty object is an honest answer.
      if (name === 'Google' && body === '{}') assert.deepEqual(await read(), []);
      else await assert.rejects(read(), failsWith('unavailable'));
    });
  }

  test(`${name}: an answer over a megabyte is no answer`, async () => {
    rig.server.blanks = 1000;
    const expected = rig.fill(3);
    assert.deepEqual((await read()).toSorted(), expected.toSorted());
    rig.server.blanks = 1_100_000;
    await assert.rejects(read(), failsWith('unavailable'));
  });

  test(`${name}: one that hangs is given up`, async () => {
    groupsAnswer('Hang');
    await assert.rejects(read(), failsWith('unavailable'));
  });

  test(`${name}: a redirect is not followed`, async () => {
    const lured = await withLure(async (origin) => {
      groupsAnswer({ status: 302, headers: { location: `${origin}/` } });
      await assert.rejects(read(), failsWith('unavailable'));
    });
    assert.deepEqual(lured, []);
  });

  test(`${name}: a token serves many people, and is fetched again when it has expired or is not taken`, async (t) => {
    const { isToken } = rig;
    if (isToken === undefined) return t.skip('it has one for good');
    const tokens = () => rig.server.asked.filter(({ url }) => isToken(url.pathname)).length;
    await Promise.all([read(), read(), read()]);
    assert.equal(tokens(), 1, 'once for three at the same time');
    offsetMs = 2 * 3_600_000;
    await read();
    assert.equal(tokens(), 2, 'again after two hours');
    rig.revokeTokens?.();
    await read();
    assert.equal(tokens(), 3, 'again where the old one is refused');
  });

  test(`${name}: nothing that is wrong shows a credential`, async () => {
    groupsAnswer({ status: 400, body: 'not so' });
    const error: unknown = await read().catch((caught: unknown) => caught);
    assert(error instanceof DirectoryError);
    const sent = rig.server.asked
      .flatMap(({ headers, body }) => [headers.get('authorization') ?? '', body])
      .filter(Boolean);
    for (const secret of sent) assert.ok(!JSON.stringify(error).includes(secret) && !error.stack?.includes(secret));
  });
}
