// The ground on which tokens are tried: two providers that take them, and a house that believes each of its own alone.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { generateKeyPair } from 'jose';
import type { CryptoKey, JWTPayload } from 'jose';
import { isRefused } from '../../../src/auth/authority.ts';
import type { OpenedSession } from '../../../src/auth/authority.ts';
import type { OidcSettings, ProgramSettings } from '../../../src/model/settings.ts';
import { sendJson, signWith, startFakeProvider } from '../../auth/fake-provider.ts';
import type { FakeProvider } from '../../auth/fake-provider.ts';
import { createHouse } from '../../auth/rig.ts';
import type { House } from '../../auth/rig.ts';

export { signWith } from '../../auth/fake-provider.ts';

export const audience = 'https://api.example.com';
export const host = 'app.example.com';

export interface TokenGround {
  readonly house: House;
  readonly provider: FakeProvider;
  readonly other: FakeProvider;
  /** A key of the attacker's own. */
  readonly foreignKey: CryptoKey;
  /** Signed as the provider does, with these claims over the usual ones; `undefined` takes one away. */
  token(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** What the provider says of opaque tokens; unknown ones are not active. */
  readonly active: Map<string, Record<string, unknown>>;
  /** Both providers, taking tokens on these terms. */
  taking(programs: ProgramSettings): OidcSettings[];
  /** The session that a token opens. @param providers Those of the route; the first by default. */
  open(token: string, providers?: readonly string[]): Promise<OpenedSession>;
  /** Why it is refused, or `Nobody` where it is not ours. */
  refusal(token: string, providers?: readonly string[]): Promise<string>;
}

export const seconds = (now = Date.now()) => Math.floor(now / 1000);

export async function layTokens(t: TestContext, more: Partial<ProgramSettings> = {}): Promise<TokenGround> {
  const [provider, other] = await Promise.all([startFakeProvider('fake'), startFakeProvider('other')]);
  const taking = (programs: ProgramSettings): OidcSettings[] =>
    [provider, other].map(({ settings }) => {
      assert(settings.kind === 'OpenIDConnect');
      return { ...settings, programs };
    });
  const active = new Map<string, Record<string, unknown>>();
  for (const one of [provider, other]) {
    one.behaviour.metadata = { introspection_endpoint: `${one.issuer}/introspect` };
    one.behaviour.instead.set('/introspect', async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const token = new URLSearchParams(Buffer.concat(chunks).toString()).get('token') ?? '';
      const found = one === provider ? active.get(token) : undefined;
      sendJson(response, 200, found === undefined ? { active: false } : { active: true, ...found });
    });
  }
  const house = createHouse({
    providers: taking({ audiences: [audience], introspection: { requireAudience: true }, ...more }),
  });
  const { privateKey: foreignKey } = await generateKeyPair('ES256');
  t.after(async () => {
    await house.close();
    await provider.stop();
    await other.stop();
  });
  const ask = (token: string, providers: readonly string[] = ['fake']) =>
    house.authority.open(host, { kind: 'Bearer', token, origin: `https://${host}`, providers });
  return {
    house,
    provider,
    other,
    foreignKey,
    active,
    taking,
    token: (claims, header) => signWith(provider.privateKey, claimsOf(provider, claims), headerOf(header)),
    async open(token, providers) {
      const opened = await ask(token, providers);
      assert(opened !== undefined && !isRefused(opened), `refused: ${JSON.stringify(opened)}`);
      return opened;
    },
    async refusal(token, providers) {
      const opened = await ask(token, providers);
      assert(opened === undefined || isRefused(opened), `opened: ${JSON.stringify(opened)}`);
      return opened?.refused ?? 'Nobody';
    },
  };
}

export function claimsOf(provider: FakeProvider, claims: Record<string, unknown> = {}): JWTPayload {
  const usual = {
    iss: provider.issuer,
    aud: audience,
    sub: 'ana',
    client_id: 'reporter',
    iat: seconds(),
    exp: seconds() + 300,
    email: 'ana@example.com',
    email_verified: true,
    groups: ['engineering'],
  };
  const whole = Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(whole) as JWTPayload;
}

export const headerOf = (header: Record<string, unknown> = {}) => ({
  alg: 'ES256',
  kid: 'fake-1',
  typ: 'at+jwt',
  ...header,
});
