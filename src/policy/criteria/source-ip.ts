// sourceIp: the client's address, after trusted proxies.
import type { Criterion } from '../../model/criteria.ts';
import { parseRange, rangesTest } from '../address.ts';
import { aboutRequest, failed, truthOf } from '../truth.ts';
import type { Compiling, Judge } from '../truth.ts';

export function compileSourceIp(value: NonNullable<Criterion['sourceIp']>, { against }: Compiling): Judge | undefined {
  const texts = value.is === undefined ? (value.in ?? []) : [value.is];
  const ranges = texts.map(parseRange).filter((range) => range !== undefined);
  // A range that cannot be read must not vanish: in a deny it would let in what it was to keep out.
  if (ranges.length === 0 || ranges.length < texts.length) return undefined;
  const isInside = rangesTest(ranges);
  return aboutRequest(
    'source-ip',
    ({ ip }) => {
      const inside = isInside(ip);
      return inside === undefined ? against | failed : truthOf(inside);
    },
    ({ ip }) => ip,
  );
}
