// Addresses that no application has, and that are somebody's way to our own ports, the node's or the cloud's keys (promise 15).

/** CIDRs. The proxy looks at each connect, whatever a name has become; translation looks first, and says so. */
export const refusedRanges: readonly string[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  // Link-local, and with it the metadata address of every large cloud.
  '169.254.0.0/16',
  '224.0.0.0/4',
  '255.255.255.255/32',
  // Metadata elsewhere: Alibaba Cloud, and Azure's wire server.
  '100.100.100.200/32',
  '168.63.129.16/32',
  // Unspecified, loopback, and IPv4-compatible spellings of IPv4 (RFC 4291 §2.5.5.1).
  '::/96',
  'fe80::/10',
  'ff00::/8',
  // Metadata on AWS over IPv6.
  'fd00:ec2::254/128',
  // The same through NAT64 (RFC 6052).
  '64:ff9b::7f00:0/104',
  '64:ff9b::a9fe:0/112',
];
