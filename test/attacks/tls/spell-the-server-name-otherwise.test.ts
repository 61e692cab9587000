// CVE-2026-48928, CVE-2022-23632: APP.example.com and app.example.com. were other names to the choice of the certificate.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateFor } from '../../../src/proxy/certificates.ts';
import { certificate, withRig } from '../../proxy/rig.ts';

const app = certificate('app.example.com');
const wildcard = certificate('wildcard.example.org');
const fallback = certificate('fallback.example.net');

test('a server name is chosen for as a host is: lower case, no root dot, one label under a wildcard', () =>
  withRig(
    {
      https: true,
      defaultCertificate: fallback,
      hosts: () => [
        { host: 'app.example.com', routes: [], certificate: app },
        { host: '*.example.org', routes: [], certificate: wildcard },
        { host: 'bare.example.org', routes: [] },
        { host: 'bare.example.com', routes: [] },
      ],
    },
    async ({ proxy }) => {
      const expected: readonly [string, string][] = [
        ['app.example.com', app.name],
        ['APP.Example.COM', app.name],
        ['app.example.com.', app.name],
        ['a.example.org', wildcard.name],
        ['A.EXAMPLE.ORG.', wildcard.name],
        // Somebody's, who may be another than whose the wildcard is.
        ['bare.example.org', fallback.name],
        ['a.b.example.org', fallback.name],
        ['example.org', fallback.name],
        ['bare.example.com', fallback.name],
        ['app.example.com..', fallback.name],
        ['app.example.com\0.evil', fallback.name],
        ['*.example.org', fallback.name],
        ['', fallback.name],
      ];
      for (const [name, chosen] of expected)
        assert.equal(certificateFor(proxy.table, name)?.name, chosen, JSON.stringify(name));
    },
  ));
