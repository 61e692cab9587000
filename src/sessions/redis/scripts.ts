// What the Redis store runs inside Redis: each change and the news of it are one step, on one key.
import { createHash } from 'node:crypto';

/** The channel that tells every replica of ours of each change. */
export const channel = 'sallyport:news';

/**
 * A stored value is a life, a stamp, a space, and the record as JSON. A life is drawn when a record is created and stays
 * when it is replaced; life and stamp together are the revision.
 */
export const lifeLength = 16;

interface Script {
  readonly source: string;
  readonly sha: string;
}

const script = (source: string): Script => ({ source, sha: createHash('sha1').update(source).digest('hex') });

/** KEYS: the record. ARGV: value, time to live in ms, channel, news. Returns 1, or 0 where the id is taken. */
export const createScript = script(`
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1`);

/** KEYS: the record. ARGV: revision and a space, value, time to live in ms, channel, news. Returns 1, or 0 where it does not fit. */
export const replaceScript = script(`
local found = redis.call('GET', KEYS[1])
if not found or string.sub(found, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1`);

/**
 * KEYS: the record. ARGV: the life to end or an empty string for any, channel, news; to the latter it adds the time that was
 * left in ms and the life. Returns value and time left, or nothing.
 */
export const takeScript = script(`
local found = redis.call('GET', KEYS[1])
if not found or string.sub(found, 1, #ARGV[1]) ~= ARGV[1] then return false end
local left = redis.call('PTTL', KEYS[1])
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[2], ARGV[3] .. ' ' .. left .. ' ' .. string.sub(found, 1, ${lifeLength}))
return {found, left}`);

/**
 * KEYS: an index set, ids scored by when their records expire. ARGV: id, expiry, now. Adds, drops what has expired, and lets
 * the set itself live as long as its last record.
 */
export const indexScript = script(`
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if last[2] then redis.call('PEXPIRE', KEYS[1], math.ceil(last[2] - ARGV[3])) end
return 1`);

/** Runs a script by its hash, and by its source where Redis does not know it: new, restarted, or another than before. */
export async function run(
  send: (key: string, command: readonly string[]) => Promise<unknown>,
  { source, sha }: Script,
  key: string,
  args: readonly string[],
): Promise<unknown> {
  try {
    return await send(key, ['EVALSHA', sha, '1', key, ...args]);
  } catch (cause) {
    if (!(cause instanceof Error && cause.message.startsWith('NOSCRIPT'))) throw cause;
    return send(key, ['EVAL', source, '1', key, ...args]);
  }
}
