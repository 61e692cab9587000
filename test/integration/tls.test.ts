// HTTPS: each host shows its own certificate by SNI, a whole sign-in runs over it, and a new certificate drops no connection.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { createCertificateAuthority, tlsSecret } from './certificates.ts';
import { createClient, send } from './client.ts';
import { startRig, until } from './rig.ts';
import type { Rig } from './rig.ts';

const authority = createCertificateAuthority();
let rig: Rig;

before(async () => {
  rig = await startRig({
    https: true,
    prepare: (text) =>
      text
        .replace(
          /(\n {2}ingressClassName: sallyport)\n( {2}rules:\n {4}- host: (app|clock)\.localhost)/g,
          '$1\n  tls: [{hosts: [$3.localhost], secretName: $3-tls}]\n$2',
        )
        .replace(
          '  defaultIdentityProviderRef:',
          '  defaultCertificateSecretRef: {namespace: sallyport-system, name: wide}\n  defaultIdentityProviderRef:',
        ),
    files: {
      'certificates.yaml': [
        tlsSecret('demo', 'app-tls', authority.sign('app.localhost')),
        tlsSecret('demo', 'clock-tls', authority.sign('clock.localhost')),
        tlsSecret('sallyport-system', 'wide', authority.sign('auth.localhost', 'welcome.localhost')),
      ].join(''),
    },
  });
});
after(async () => {
  await rig?.stop();
  authority.close();
});

const at = (host: string, path = '/') => `https://${host}.localhost:${rig.httpsPort}${path}`;

function shake(servername: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: rig.httpsPort, servername, ca: authority.ca }, () =>
      resolve(socket),
    );
    socket.once('error', reject);
  });
}

async function namesShownTo(servername: string): Promise<string> {
  const socket = await shake(servername);
  const { subjectaltname } = socket.getPeerCertificate();
  socket.destroy();
  return subjectaltname ?? '';
}

test('each host shows its own certificate, the others the default one', async () => {
  assert.equal(await namesShownTo('app.localhost'), 'DNS:app.localhost');
  assert.equal(await namesShownTo('APP.localhost'), 'DNS:app.localhost');
  assert.equal(await namesShownTo('clock.localhost'), 'DNS:clock.localhost');
  assert.match(await namesShownTo('welcome.localhost'), /DNS:welcome\.localhost/);
});

test('a person signs in over https, and plain http leads there', async () => {
  const client = createClient();
  const first = await client.visit(rig.url('app', '/a?b=c'), { follow: 0 });
  assert.equal(first.status, 308);
  assert.equal(first.headers.location, at('app', '/a?b=c'));
  const page = await client.visit(at('app', '/a?b=c'), { ca: authority.ca });
  const arrived = await client.signIn(page, 'account-ana', { ca: authority.ca });
  assert.equal(arrived.status, 200);
  assert.equal(arrived.url.href, at('app', '/a?b=c'));
  const seen = await client.visit(at('app', '/json'), { ca: authority.ca });
  const { headers } = JSON.parse(seen.body) as { headers: unknown };
  assert.match(JSON.stringify(headers), /x-forwarded-proto"?,? ?:?"?https/i);
});

test('a new certificate is shown to new connections, and old ones go on', async () => {
  const open = await shake('clock.localhost');
  const before = open.getPeerCertificate().fingerprint256;
  await rig.edit('certificates.yaml', (text) =>
    text.replace(
      /\n---\napiVersion: v1\nkind: Secret\nmetadata: \{name: clock-tls[^]*?(?=\n---|$)/,
      tlsSecret('demo', 'clock-tls', authority.sign('clock.localhost')),
    ),
  );
  await until(
    async () => {
      const socket = await shake('clock.localhost');
      const shown = socket.getPeerCertificate().fingerprint256;
      socket.destroy();
      return shown !== before;
    },
    2_000,
    'the new certificate is shown',
  );
  const answer = new Promise<string>((resolve) => void open.once('data', (data: Buffer) => resolve(data.toString())));
  open.write(`GET / HTTP/1.1\r\nHost: clock.localhost:${rig.httpsPort}\r\nAccept: */*\r\n\r\n`);
  assert.match(await answer, /^HTTP\/1\.1 401 /);
  open.destroy();
});

test('a host without any certificate is refused at the handshake, not shown somebody else’s', async () => {
  await rig.edit('sallyport.yaml', (text) => text.replace(/.*defaultCertificateSecretRef.*\n/, ''));
  await until(
    async () =>
      await shake('welcome.localhost').then(
        (socket) => socket.destroy() && false,
        () => true,
      ),
    2_000,
    'the handshake fails',
  );
  assert.equal(await namesShownTo('app.localhost'), 'DNS:app.localhost');
  assert.equal((await send(new URL(rig.url('welcome')), {})).status, 200, 'and over plain http it is served as before');
});
