// How long a directory wants not to be asked, in the several ways in which they say so.

/** Where one says that it was asked too often and not for how long; GitHub's documentation asks for a minute. */
const unsaidWaitMs = 60_000;

// Google answers 403 with the reason in the body, GitHub with a sentence.
const limitWords = /rate.?limit|quotaExceeded/i;

/** `undefined`: the answer is no request to wait. */
export function waitWanted(status: number, headers: Headers, text: string, now: number): number | undefined {
  const said = retryAfter(headers, now);
  if (status === 503) return said;
  if (status !== 429 && status !== 403) return undefined;
  if (said !== undefined) return said;
  const isSpent = (headers.get('x-ratelimit-remaining') ?? headers.get('x-rate-limit-remaining')) === '0';
  if (status === 429 || isSpent) return untilReset(headers, now) ?? unsaidWaitMs;
  return limitWords.test(text.slice(0, 4096)) ? unsaidWaitMs : undefined;
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
function retryAfter(headers: Headers, now: number): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** Okta and GitHub tell the second since the epoch; by their own clock, where they tell that too. */
export function untilReset(headers: Headers, now: number): number | undefined {
  const text = headers.get('x-ratelimit-reset') ?? headers.get('x-rate-limit-reset') ?? '';
  if (!/^\d{1,12}$/.test(text)) return undefined;
  const theirs = Date.parse(headers.get('date') ?? '');
  return Math.max(1000, Number(text) * 1000 - (Number.isNaN(theirs) ? now : theirs));
}
