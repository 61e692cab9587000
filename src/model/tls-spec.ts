// What a class says of TLS towards clients: the versions and ciphers that all its hosts speak.
import { z } from 'zod';

/**
 * By OpenSSL's names, the better first: those with forward secrecy and authenticated encryption, as in Mozilla's intermediate
 * profile. There are no others to choose from, so that no class can be made weaker than another's default.
 */
export const tlsCiphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
] as const;

export const tlsSpec = z
  .strictObject({
    minVersion: z
      .enum(['1.2', '1.3'])
      .default('1.2')
      .meta({ description: 'The oldest version that clients may speak.' }),
    ciphers: z.array(z.enum(tlsCiphers)).min(1).max(tlsCiphers.length).optional().meta({
      description:
        'Those that are spoken, the preferred first; absent: all of these. Where none is of TLS 1.3 (TLS_…), all of that are spoken; where all are, TLS 1.2 is not.',
    }),
  })
  .optional()
  .meta({
    description: 'TLS towards clients. A change holds from the next handshake on.',
    closed: true,
  });
