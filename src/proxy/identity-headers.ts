// What an application is told about the person, under the header names of a preset.
import type { Identity } from '../model/identity.ts';
import type { ClassSettings, HeaderPreset } from '../model/settings.ts';

type Header = readonly [name: string, value: string | undefined];

const groupsLimit = 8 * 1024;

/** Whom the application is told of. */
export interface Told {
  readonly identity: Identity;
  /** The signed JWT; absent under a preset that has none. */
  readonly assertion?: string;
}

/** Name, value, name, value…: the preset's headers, then the class's own claim headers. What the provider did not say has no header. */
export function identityHeaders({ identity, assertion }: Told, settings: ClassSettings['identityHeaders']): string[] {
  const claims = Object.entries(settings.claims).map(([name, claim]): Header => [
    name,
    claimValue(identity.claims, claim),
  ]);
  return [...presets[settings.preset](identity, assertion), ...claims].flatMap(([name, value]) =>
    value === undefined ? [] : [name, value],
  );
}

const presets: Readonly<Record<HeaderPreset, (identity: Identity, assertion?: string) => readonly Header[]>> = {
  Sallyport: (identity, assertion) => [
    ['X-Sallyport-Jwt-Assertion', assertion],
    ['X-Sallyport-User', encoded(identity.user)],
    ['X-Sallyport-Email', encoded(identity.email)],
    ['X-Sallyport-Groups', encodedList(identity.groups)],
  ],
  Pomerium: (identity, assertion) => [
    ['X-Pomerium-Jwt-Assertion', assertion],
    ['X-Pomerium-Claim-User', encoded(identity.user)],
    ['X-Pomerium-Claim-Email', encoded(identity.email)],
    ['X-Pomerium-Claim-Name', encoded(identity.name)],
    ['X-Pomerium-Claim-Groups', encodedList(identity.groups)],
  ],
  OAuth2Proxy: (identity) =>
    ['X-Auth-Request-', 'X-Forwarded-'].flatMap((prefix): Header[] => [
      [`${prefix}User`, encoded(identity.user)],
      [`${prefix}Email`, encoded(identity.email)],
      [`${prefix}Groups`, encodedList(identity.groups)],
      [`${prefix}Preferred-Username`, claimValue(identity.claims, 'preferred_username')],
    ]),
  GoogleIAP: (identity, assertion) => [
    ['X-Goog-IAP-JWT-Assertion', assertion],
    ['X-Goog-Authenticated-User-Email', prefixed('accounts.google.com:', encoded(identity.email))],
    ['X-Goog-Authenticated-User-Id', prefixed('accounts.google.com:', encoded(identity.user))],
  ],
  CloudflareAccess: (identity, assertion) => [
    ['Cf-Access-Jwt-Assertion', assertion],
    ['Cf-Access-Authenticated-User-Email', encoded(identity.email)],
  ],
};

/** Whether applications are sent an assertion: where they are not, none is signed. */
export function hasAssertion(preset: HeaderPreset): boolean {
  return preset !== 'OAuth2Proxy';
}

/**
 * Printable ASCII stands for itself; everything else, the percent sign and outer spaces are percent-encoded as UTF-8: no
 * value ends a line (CVE-2023-27493), and no two people's values are the same.
 */
export function encoded(value: string | undefined): string | undefined {
  return value?.toWellFormed().replaceAll(/[^\x20-\x7e]|%|^ | $/gu, encodeURIComponent);
}

/** Joined by commas, a comma within an entry encoded: nobody is in a group that their group's name contains. Whole entries up to 8 KiB. */
export function encodedList(values: readonly string[]): string | undefined {
  let list = '';
  for (const value of values) {
    const entry = (encoded(value) ?? '').replaceAll(',', '%2C');
    const longer = list === '' ? entry : `${list},${entry}`;
    if (longer.length > groupsLimit) break;
    list = longer;
  }
  return list === '' ? undefined : list;
}

function prefixed(prefix: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `${prefix}${value}`;
}

function claimValue(claims: Identity['claims'], name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return encodedList(value.map(claimText));
  const text = encoded(claimText(value));
  return text === undefined || text.length > groupsLimit ? undefined : text;
}

function claimText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
