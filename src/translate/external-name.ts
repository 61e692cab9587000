// Services of type ExternalName: a way into other networks, open for the names that the class lists.
import { isHostName } from './host-name.ts';
import { shown } from './parse.ts';
import type { ServiceSpec } from '../model/objects.ts';

/** The name that it leads to; or why it is not served. */
export function readExternalName(
  { externalName = '' }: ServiceSpec,
  allowed: readonly string[],
): { readonly name: string } | { readonly fault: string } {
  const name = externalName.toLowerCase().replace(/\.$/, '');
  // What ends in a number is an address in disguise: `127.1` (WHATWG URL, "ends in a number").
  if (!isHostName(name) || /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(name)) {
    return { fault: `leads to ${shown(externalName)}, which is not a host name` };
  }
  if (allowed.some((one) => covers(one, name))) return { name };
  return {
    fault: `leads to ${name}, a way into other networks: the class must list that name in spec.upstream.externalNames of its Sallyport`,
  };
}

function covers(allowed: string, name: string): boolean {
  return allowed.startsWith('*.') ? name.endsWith(allowed.slice(1)) : name === allowed;
}
