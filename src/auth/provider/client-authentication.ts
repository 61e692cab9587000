// How we prove to a provider that we are its client: by a secret, by a JWT of our own key, or by a certificate.
import { X509Certificate, createPrivateKey } from 'node:crypto';
import * as oidc from 'openid-client';
import type { ClientAuthentication, OidcSettings } from '../../model/settings.ts';

type PrivateKeyJwt = Extract<ClientAuthentication, { method: 'PrivateKeyJwt' }>;

export function clientAuthentication(metadata: oidc.ServerMetadata, settings: OidcSettings): oidc.ClientAuth {
  const { clientAuthentication: chosen, clientSecret } = settings;
  const secret = clientSecret?.reveal();
  switch (chosen?.method) {
    case undefined:
      return bySecret(metadata, secret);
    case 'ClientSecretBasic':
      return oidc.ClientSecretBasic(secret);
    case 'ClientSecretPost':
      return oidc.ClientSecretPost(secret);
    case 'PrivateKeyJwt':
      return byKey(metadata, chosen);
    case 'TlsClientAuth':
      // The connection says it; the request only names the client (RFC 8705, section 2).
      return oidc.TlsClientAuth();
    case 'None':
      return oidc.None();
  }
}

// RFC 8414, section 2: where a provider does not say how clients authenticate, it is client_secret_basic.
function bySecret(metadata: oidc.ServerMetadata, secret: string | undefined): oidc.ClientAuth {
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  if (secret === undefined) return oidc.None();
  return methods.includes('client_secret_basic') ? oidc.ClientSecretBasic(secret) : oidc.ClientSecretPost(secret);
}

function byKey(metadata: oidc.ServerMetadata, { key: pem, keyId, certificate }: PrivateKeyJwt): oidc.ClientAuth {
  const supported = metadata.token_endpoint_auth_signing_alg_values_supported ?? [];
  const isEntra = certificate !== undefined;
  const key = signingKey(pem.reveal(), isEntra || (supported.includes('PS256') && !supported.includes('RS256')));
  return oidc.PrivateKeyJwt(keyId === undefined ? key : { key, kid: keyId }, {
    [oidc.modifyAssertion]: (header, payload) => {
      header['typ'] = 'JWT';
      if (!isEntra) return;
      // Entra ID knows a key by its certificate, and itself by its token endpoint.
      header['x5t#S256'] = thumbprint(certificate);
      payload['aud'] = metadata.token_endpoint;
    },
  });
}

function signingKey(pem: string, isPss: boolean): CryptoKey {
  const key = createPrivateKey(pem);
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return key.toCryptoKey({ name: isPss ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['sign']);
    case 'ec':
      return key.toCryptoKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    default:
      return key.toCryptoKey('Ed25519', false, ['sign']);
  }
}

function thumbprint(certificate: string): string {
  return Buffer.from(new X509Certificate(certificate).fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
}
