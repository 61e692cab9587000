// sourceIp: the client's address, after trusted proxies.
import type { Criterion } from '../../model/criteria.ts';
import { holdsAddress, parseAddress, parseRange } from '../address.ts';
import { aboutRequest, truthOf } from '../truth.ts';
import type { Judge } from '../truth.ts';

export function compileSourceIp(value: NonNullable<Criterion['sourceIp']>): Judge | undefined {
  const texts = value.is === undefined ? (value.in ?? []) : [value.is];
  const ranges = texts.map(parseRange).filter((range) => range !== undefined);
  // A range that cannot be read must not vanish: in a deny it would let in what it was to keep out.
  if (ranges.length === 0 || ranges.length < texts.length) return undefined;
  return aboutRequest(
    'source-ip',
    ({ ip }) => {
      const address = parseAddress(ip);
      return truthOf(address !== undefined && ranges.some((range) => holdsAddress(range, address)));
    },
    ({ ip }) => ip,
  );
}
