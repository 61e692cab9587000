// invalidClientCertificate: the client has shown no certificate in the TLS handshake, or one that is not valid.
import { truthOf } from '../truth.ts';
import type { Judge } from '../truth.ts';

export const compileInvalidClientCertificate = (): Judge => ({
  judge: ({ clientCertificate }) => truthOf(clientCertificate === undefined),
  reason: (yes) => (yes ? 'invalid-client-certificate' : 'valid-client-certificate'),
  see: ({ clientCertificate }) => clientCertificate,
});
