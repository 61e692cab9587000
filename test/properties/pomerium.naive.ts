// The Pomerium Policy Language judged as it is written, naive on purpose and without a line of ours: grammar, rego and reasons.
import type { Facts } from '../../src/model/verdict.ts';

type Action = 'allow' | 'deny';
type Operator = 'and' | 'or' | 'not' | 'nor';
export type Ppl = readonly { readonly [Name in Action]?: { readonly [Name in Operator]?: readonly object[] } }[];

/** Its pkg/policy/generator: [true, {reasons}]; of the reasons only the one that leads to a sign-in counts. */
interface Result {
  readonly value: boolean;
  readonly asks: boolean;
}

/** What counts in one place of the policy. */
interface Place {
  readonly facts: Facts;
  /** Ours: what a negative matcher answers about a value that the provider never gave. Pomerium's answer differs by criterion. */
  readonly absent: boolean;
  /** Of criteria that Sallyport does not have: whether they hold. */
  readonly elsewhere: (name: string) => boolean;
}

const entries = (value: object): readonly [string, unknown][] => Object.entries(value);
const isMap = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);

function textMatches(data: unknown, text: string | undefined, absent: boolean): boolean {
  const operators = isMap(data) ? entries(data) : [['is', data] as const];
  return operators.every(([operator, wanted]) => {
    const list = Array.isArray(wanted) ? wanted : [];
    if (text === undefined) return ['not', 'not_in'].includes(operator) && absent;
    if (operator === 'is') return text === wanted;
    if (operator === 'not') return text !== wanted;
    if (operator === 'in') return list.some((one) => one === text);
    if (operator === 'not_in') return !list.some((one) => one === text);
    if (operator === 'starts_with') return text.indexOf(String(wanted)) === 0;
    if (operator === 'contains') return text.indexOf(String(wanted)) >= 0;
    if (operator === 'ends_with') return text.endsWith(String(wanted));
    throw new Error(`unknown string matcher operator: ${operator}`);
  });
}

function listMatches(data: unknown, values: readonly unknown[] | undefined, absent: boolean): boolean {
  const operators = isMap(data) ? entries(data) : [['has', data] as const];
  return operators.every(([operator, wanted]) => {
    // Ours: numbers and booleans are their spelling.
    const found =
      values?.map((one) => JSON.stringify(one).replaceAll('"', '')).filter((one) => one === String(wanted)).length ?? 0;
    if (operator === 'has') return found > 0;
    if (operator === 'is') return found === 1 && values?.length === 1;
    if (operator === 'exclude') return values === undefined ? absent : found === 0;
    throw new Error(`unknown string list matcher operator: ${operator}`);
  });
}

/** object_get: the whole name, else cut at dots and slashes. */
function claimValues(claims: Readonly<Record<string, unknown>>, name: string): readonly unknown[] | undefined {
  let value: unknown = claims[name];
  if (value === undefined) {
    value = claims;
    for (const segment of name.replaceAll('.', '/').split('/')) {
      value = isMap(value) ? Object.fromEntries(entries(value))[segment] : undefined;
    }
  }
  return value === undefined ? undefined : Array.isArray(value) ? value : [value];
}

const zones = new Map([
  ['UTC', 0],
  ['Asia/Tokyo', 9],
]);

function timeHolds(name: string, data: unknown, now: number): boolean {
  const { timezone, after, before } = { timezone: 'UTC', after: undefined, before: undefined, ...Object(data) };
  const shown = new Date(now + (zones.get(String(timezone)) ?? 0) * 3_600_000).toISOString();
  if (name === 'day_of_week') {
    const order = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
    const today = (new Date(now).getUTCDay() + 6) % 7;
    const [from, until] = String(data).split('-');
    if (data === '*') return true;
    if (until !== undefined) return order.indexOf(String(from)) <= today && today <= order.indexOf(until);
    return String(data).split(',').includes(String(order[today]));
  }
  // Texts of this form are ordered as the times are.
  const written = name === 'date' ? shown : shown.slice(11);
  return (after === undefined || written > String(after)) && (before === undefined || written < String(before));
}

function certificateMatches(data: object, { clientCertificate }: Facts): boolean {
  if (clientCertificate === undefined) return false;
  const { fingerprint, spkiHash, sanEmails, sanDnsNames, sanUris } = clientCertificate;
  const names: Record<string, readonly string[]> = { san_email: sanEmails, san_dns: sanDnsNames, san_uri: sanUris };
  return entries(data).every(([field, wanted]) => {
    if (field === 'fingerprint') return [wanted].flat().includes(fingerprint);
    if (field === 'spki_hash') return [wanted].flat().includes(spkiHash);
    return (names[field] ?? []).some((one) => textMatches(wanted, one, false));
  });
}

function criterionResult(written: object, { facts, absent, elsewhere }: Place): Result {
  const [[key, data] = ['', undefined]] = entries(written);
  const [name = ''] = key.split('/');
  const { identity, method, path, headers, ip } = facts;
  const holds = (value: boolean): Result => ({ value, asks: false });
  if (name === 'accept') return holds(true);
  if (name === 'reject') return holds(false);
  if (name === 'http_method') return holds(textMatches(data, method, false));
  if (name === 'http_path') return holds(textMatches(data, path, false));
  if (name === 'cors_preflight') {
    return holds(method === 'OPTIONS' && ['origin', 'access-control-request-method'].every((one) => headers.has(one)));
  }
  if (name === 'source_ip') {
    // Only whole octets are generated: a range is a text that the address begins with.
    return holds([data].flat().some((range) => ip.startsWith(String(range).replace('.0.0.0/8', '.'))));
  }
  if (name === 'client_certificate') return holds(certificateMatches(Object(data), facts));
  if (name === 'invalid_client_certificate') return holds(facts.clientCertificate === undefined);
  if (['date', 'day_of_week', 'time_of_day'].includes(name)) return holds(timeHolds(name, data, facts.now));
  if (name === 'device' && identity === undefined) return { value: false, asks: true };
  if (!['authenticated_user', 'user', 'email', 'domain', 'groups', 'claim'].includes(name))
    return holds(elsewhere(name));
  if (identity === undefined) return { value: false, asks: true };
  if (name === 'authenticated_user') return holds(true);
  if (name === 'user') return holds(textMatches(data, identity.user, absent));
  if (name === 'email') return holds(textMatches(data, identity.email, absent));
  // Ours: an address with two @ has no domain.
  if (name === 'domain') {
    const halves = identity.email?.split('@') ?? [];
    return holds(textMatches(data, halves.length === 2 ? halves[1] : undefined, absent));
  }
  if (name === 'groups') return holds(listMatches(data, identity.groups, absent));
  return holds(listMatches(data, claimValues(identity.claims, key.slice('claim/'.length)), absent));
}

function merge(results: readonly Result[], all: boolean): Result {
  const value = all ? results.every((one) => one.value) : results.some((one) => one.value);
  return { value, asks: results.some((one) => one.value === value && one.asks) };
}

function actionResult(policy: Ppl, action: Action, facts: Facts, elsewhere: Place['elsewhere']): Result {
  const results: Result[] = [];
  for (const rule of policy) {
    for (const [operator, criteria] of Object.entries(rule[action] ?? {})) {
      if (criteria.length === 0) continue;
      const inverted = operator === 'not' || operator === 'nor';
      const place: Place = { facts, elsewhere, absent: (action === 'deny') !== inverted };
      const each = criteria.map((one) => {
        const result = criterionResult(one, place);
        return inverted ? { ...result, value: !result.value } : result;
      });
      // NOT => (NOT A) AND (NOT B), NOR => (NOT A) OR (NOT B)
      results.push(merge(each, operator === 'and' || operator === 'not'));
    }
  }
  return merge(results, false);
}

/**
 * authorize/check_response.go, without the answer to an invalid client certificate that comes before a sign-in: who is then
 * refused is here asked to sign in first, and refused afterwards.
 */
export function judgePomerium(
  policy: Ppl,
  facts: Facts,
  elsewhere: Place['elsewhere'] = () => false,
): 'Allow' | 'Deny' | 'Login' {
  const allow = actionResult(policy, 'allow', facts, elsewhere);
  const deny = actionResult(policy, 'deny', facts, elsewhere);
  if (allow.asks || deny.asks) return 'Login';
  return allow.value && !deny.value ? 'Allow' : 'Deny';
}
