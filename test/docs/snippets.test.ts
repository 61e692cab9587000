// The snippets of docs/applications.md, run as programs: each believes a real assertion, and no forged one.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHmac, createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { jwks, signAssertion } from '../../src/auth/assertion.ts';
import type { AssertionTerms } from '../../src/auth/assertion.ts';
import { createKeyRing } from '../../src/auth/keys.ts';
import type { Session } from '../../src/model/identity.ts';
import { blocksOf, root } from './pages.ts';

const ring = createKeyRing();
const publicKey = createPublicKey(ring[0].signingKey.reveal()).export({ format: 'pem', type: 'spki' });
const published = createServer((_request, response) => response.end(JSON.stringify(jwks(ring))));
const folder = mkdtempSync(join(tmpdir(), 'sallyport-snippets-'));
let keysUrl = '';
before(async () => {
  published.listen(0, '127.0.0.1');
  await once(published, 'listening');
  keysUrl = `http://127.0.0.1:${(published.address() as AddressInfo).port}/jwks.json`;
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
});
after(() => {
  published.close();
  published.closeAllConnections();
  rmSync(folder, { recursive: true });
});

const identity = { user: 'ana', email: 'ana@example.com', groups: ['engineering'], claims: {} };
const session: Session = {
  id: 'a-session',
  provider: 'okta',
  identity,
  authenticatedAt: 0,
  startedAt: 0,
  expiresAt: 1,
};
const issuer = 'https://auth.example.com';
const host = 'app.example.com';
const now = Date.now();
const terms: AssertionTerms = { issuer, host, route: 'shop/cart app.example.com/', now };
const good = signAssertion(ring, session, terms);
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Each of them one mistake away from the good one. */
const forged: Readonly<Record<string, string>> = {
  'of another host': signAssertion(ring, session, { ...terms, host: 'other.example.com' }),
  'of another issuer': signAssertion(ring, session, { ...terms, issuer: 'https://auth.example.org' }),
  'that has expired': signAssertion(ring, session, { ...terms, now: now - 400_000 }),
  'signed by somebody else': signAssertion(createKeyRing(), session, terms),
  'signed by somebody else, under the id of our key': signAssertion(
    [{ ...createKeyRing()[0], id: ring[0].id }],
    session,
    terms,
  ),
  'without a signature': `${good.split('.').slice(0, 2).join('.')}.`,
  'that says it needs none': `${part({ alg: 'none', kid: ring[0].id })}.${good.split('.')[1]}.`,
  'with another person in it': changed(good),
  'signed with our public key as if it were a password': confused(good),
};

function changed(assertion: string): string {
  const [header, payload = '', signature] = assertion.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  return `${header}.${part({ ...claims, sub: 'eve' })}.${signature}`;
}

function confused(assertion: string): string {
  const signed = `${part({ alg: 'HS256', kid: ring[0].id })}.${assertion.split('.')[1]}`;
  return `${signed}.${createHmac('sha256', publicKey).update(signed).digest('base64url')}`;
}

/** The snippet with our key set's address, and a main program that prints whom it believes, or exits with 1. */
function snippet(language: string): string {
  const [block, ...more] = blocksOf('docs/applications.md').filter((one) => one.language === language);
  assert.ok(block !== undefined && more.length === 0, `one ${language} block`);
  const address = 'https://app.example.com/.well-known/sallyport/jwks.json';
  assert.ok(block.text.includes(address));
  return block.text.replace(address, keysUrl);
}

interface Ran {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

// Not spawnSync: the key set is served from this process.
async function run(command: string, args: readonly string[], env = process.env): Promise<Ran> {
  const child = spawn(command, args, { cwd: folder, env, timeout: 180_000 });
  const [output, errors]: [string[], string[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, output: output.join('').trim(), errors: errors.join('') };
}

async function believesOnlyOurs(believes: (assertion: string) => Promise<Ran>): Promise<void> {
  const { status, output, errors } = await believes(good);
  assert.equal(errors, '');
  assert.deepEqual({ status, output }, { status: 0, output: 'ana@example.com' });
  for (const [what, assertion] of Object.entries(forged)) {
    const refused = await believes(assertion);
    assert.equal(refused.output, '', `an assertion ${what}`);
    assert.equal(refused.status, 1, `an assertion ${what}: ${refused.errors}`);
    assert.match(refused.errors, /refused/, `an assertion ${what}`);
  }
}

test('the Node.js snippet believes our assertion, and no forged one', async () => {
  const main = `
try {
  console.log((await person(process.argv[2])).email);
} catch (error) {
  console.error('refused', error);
  process.exit(1);
}
`;
  writeFileSync(join(folder, 'verify.mjs'), snippet('js') + main);
  await believesOnlyOurs((assertion) => run(process.execPath, ['verify.mjs', assertion]));
});

// `make packages` puts PyJWT there.
const python = { ...process.env, PYTHONPATH: join(root, '.cache/python') };

test('the Python snippet believes our assertion, and no forged one', async () => {
  const has = spawnSync('python3', ['-c', 'import jwt, cryptography'], { env: python });
  assert.equal(has.status, 0, 'python3 with PyJWT is needed: make packages');
  const main = `

import sys

try:
    print(person(sys.argv[1])["email"])
except Exception as error:
    sys.exit(f"refused {error}")
`;
  writeFileSync(join(folder, 'verify.py'), snippet('python') + main);
  await believesOnlyOurs((assertion) => run('python3', ['verify.py', assertion], python));
});

test('the Go snippet believes our assertion, and no forged one', async () => {
  assert.equal(spawnSync('go', ['version']).status, 0, 'go is needed: apt-get install golang, or from go.dev');
  const main = `package main

import (
	"fmt"
	"os"
)

func main() {
	keys, err := FetchKeys()
	if err == nil {
		var person *Person
		if person, err = Verify(os.Args[1], keys); err == nil {
			fmt.Println(person.Email)
			return
		}
	}
	fmt.Fprintln(os.Stderr, "refused", err)
	os.Exit(1)
}
`;
  const source = join(folder, 'go');
  mkdirSync(source);
  writeFileSync(join(source, 'verify.go'), snippet('go'));
  writeFileSync(join(source, 'main.go'), main);
  const program = join(folder, 'verify');
  const built = await run('go', ['build', '-o', program, join(source, 'verify.go'), join(source, 'main.go')]);
  assert.equal(built.status, 0, built.errors);
  await believesOnlyOurs((assertion) => run(program, [assertion]));
});
