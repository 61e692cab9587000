// Host names and network addresses: one spelling for each, sets of CIDRs, and the upstream addresses that nobody may reach.
import { BlockList, isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { refusedRanges } from '../model/refused-addresses.ts';

/** The one spelling of an address, IPv4-mapped IPv6 as IPv4, without a zone; undefined where it is none. */
export function canonicalAddress(text: string): string | undefined {
  const zone = text.indexOf('%');
  const bare = zone === -1 ? text : text.slice(0, zone);
  const version = isIP(bare);
  if (version === 0) return undefined;
  return version === 4 ? bare : ipaddr.process(bare).toString();
}

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A host name in lower case without its root dot (RFC 1123 §2.1, RFC 1034 §3.1); undefined where it is none. */
export function canonicalHostName(text: string): string | undefined {
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
  if (name.length === 0 || name.length > 253) return undefined;
  return name.split('.').every((part) => label.test(part)) ? name : undefined;
}

export interface HostAndPort {
  /** An IPv6 literal keeps its brackets. */
  readonly host: string;
  readonly port?: number;
}

/** `host` or `host:port` as it stands in a Host header or an absolute target. No user, no empty port. */
export function parseAuthority(text: string): HostAndPort | undefined {
  const parts = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9.-]{1,254}))(?::([0-9]{1,5}))?$/.exec(text);
  if (parts === null) return undefined;
  const [, literal, name, digits] = parts;
  const host = literal === undefined ? canonicalHostName(name ?? '') : bracketed(literal);
  const port = digits === undefined ? undefined : Number(digits);
  if (host === undefined || port === 0 || (port !== undefined && port > 65_535)) return undefined;
  return { host, ...(port !== undefined && { port }) };
}

function bracketed(literal: string): string | undefined {
  const address = isIP(literal) === 6 ? canonicalAddress(literal) : undefined;
  return address?.includes(':') === true ? `[${address}]` : address;
}

/** Whether browsers treat plain HTTP to this host as secure (W3C Secure Contexts §3.1): cookies of ours are kept there. */
export function isLocalHost(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    (isIP(host) === 4 && host.startsWith('127.'))
  );
}

export type AddressTest = (address: string) => boolean;

/** Whether an address is in one of these CIDRs. An entry that is none holds nothing. Addresses must be canonical. */
export function addressSet(cidrs: readonly string[]): AddressTest {
  // One list a family: a single BlockList compares IPv4 with IPv6 subnets by rules of its own.
  const lists = { 4: new BlockList(), 6: new BlockList() };
  for (const cidr of cidrs) addSubnet(lists, cidr);
  return (address) => (isIP(address) === 4 ? lists[4].check(address, 'ipv4') : lists[6].check(address, 'ipv6'));
}

function addSubnet(lists: { readonly 4: BlockList; readonly 6: BlockList }, cidr: string): void {
  const [base = '', bits] = cidr.split('/');
  const address = canonicalAddress(base);
  if (address === undefined) return;
  const version = isIP(address) === 4 ? 4 : 6;
  const width = version === 4 ? 32 : 128;
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8.
  const mapped = version === 4 && isIP(base) === 6 ? 96 : 0;
  const prefix = bits === undefined ? width : Number(bits) - mapped;
  if (Number.isInteger(prefix) && prefix >= 0 && prefix <= width)
    lists[version].addSubnet(address, prefix, `ipv${version}`);
}

/** Whether promise 15 refuses an address: loopback, link-local, metadata, unspecified, multicast, and those given. */
export function refusedAddresses(others: readonly string[]): AddressTest {
  const refused = addressSet([...refusedRanges, ...others]);
  return (address) => {
    const canonical = canonicalAddress(address);
    return canonical === undefined || refused(canonical);
  };
}
