// Values of flags that are more than a word: label selectors, and where people reach us.
import { addressOf } from '../model/addresses.ts';
import type { IngressAddress } from '../model/addresses.ts';
import type { LabelSelector } from '../model/selector.ts';

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

const key = String.raw`((?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)`;
const word = String.raw`[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?`;
const exists = new RegExp(`^(!?)${key}$`);
const equals = new RegExp(`^${key}\\s*(=|==|!=)\\s*(${word})?$`);
const among = new RegExp(`^${key}\\s+(in|notin)\\s+\\(\\s*(${word}(?:\\s*,\\s*${word})*)\\s*\\)$`);

/** As kubectl takes it after `-l`: `a=b,c!=d,e,!f,g in (h,i)`. Nothing: it is none. */
export function parseLabelSelector(text: string): LabelSelector | undefined {
  // Commas within parentheses join values.
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim());
  const expressions = parts.map(parseRequirement);
  return expressions.every((one) => one !== undefined) ? { matchExpressions: expressions } : undefined;
}

function parseRequirement(text: string): Expression | undefined {
  const [, not, present] = exists.exec(text) ?? [];
  if (present !== undefined) return { key: present, operator: not === '!' ? 'DoesNotExist' : 'Exists' };
  const [, compared, sign, value = ''] = equals.exec(text) ?? [];
  if (compared !== undefined) return { key: compared, operator: sign === '!=' ? 'NotIn' : 'In', values: [value] };
  const [, listed, operator, values = ''] = among.exec(text) ?? [];
  if (listed === undefined) return undefined;
  return { key: listed, operator: operator === 'in' ? 'In' : 'NotIn', values: values.split(/\s*,\s*/) };
}

const hostname = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/;

/** Nothing: one of them is neither an IP address nor a name. */
export function parseAddresses(text: string): readonly IngressAddress[] | undefined {
  const all = text.split(',').map((one) => one.trim());
  // A name whose last label is a number is read as an address by everybody else (WHATWG URL, "ends in a number").
  const isAddress = (one: string) => 'ip' in addressOf(one) || (hostname.test(one) && !/(^|\.)[0-9]+$/.test(one));
  return all.every(isAddress) ? all.map(addressOf) : undefined;
}

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** `namespace/name`. */
export function parseService(text: string): { readonly namespace: string; readonly name: string } | undefined {
  const [namespace = '', name = '', ...rest] = text.split('/');
  return rest.length === 0 && dnsLabel.test(namespace) && dnsLabel.test(name) ? { namespace, name } : undefined;
}
