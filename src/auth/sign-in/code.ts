// One-time codes: the way of a session from the authentication host to an application's host.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { parseTicket } from '../cookie.ts';
import type { Ticket } from '../cookie.ts';
import { parseSealed, seal, unseal } from '../keys.ts';
import type { KeyRing } from '../../model/settings.ts';
import type { Store } from '../../sessions/store.ts';

const codeLifetimeMs = 60_000;

const codeSchema = z.object({ session: z.string(), secret: z.string(), authority: z.string(), binding: z.string() });

/** What a one-time code stands for: a session's ticket, on its way to one host, in one browser. */
export interface CodeGrant {
  readonly ticket: Ticket;
  /** The host it is for, with its port where it has one. */
  readonly authority: string;
  /** Hash of the secret that the browser's flow cookie on that host holds. */
  readonly binding: string;
}

/** Makes the one-time code for an application's host; valid for a minute. @throws {StoreError} */
export async function createCode(store: Store, ring: KeyRing, grant: CodeGrant, now: number): Promise<string> {
  const id = randomBytes(16).toString('base64url');
  const secret = randomBytes(32);
  const plain = JSON.stringify({
    session: grant.ticket.id,
    secret: Buffer.from(grant.ticket.secret).toString('base64url'),
    authority: grant.authority,
    binding: grant.binding,
  });
  await store.create({
    type: 'code',
    id,
    index: {},
    listing: '',
    body: seal(ring, 'body', plain, `code ${id}`, secret),
    expiresAt: now + codeLifetimeMs,
  });
  return `${id}.${secret.toString('base64url')}`;
}

/** What a code stands for, once: asking uses it up, whoever asks. @throws {StoreError} */
export async function takeCode(store: Store, ring: KeyRing, code: string): Promise<CodeGrant | undefined> {
  // A code looks like a ticket; nothing else comes near the store, for which an id is part of a name.
  const parsed = parseTicket(code);
  if (parsed === undefined) return undefined;
  const record = await store.take('code', parsed.id);
  if (record === undefined) return undefined;
  const grant = parseSealed(codeSchema, unseal(ring, 'body', record.body, `code ${parsed.id}`, parsed.secret));
  if (grant === undefined) return undefined;
  return {
    ticket: { id: grant.session, secret: Buffer.from(grant.secret, 'base64url') },
    authority: grant.authority,
    binding: grant.binding,
  };
}
