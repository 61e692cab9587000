// Which host plays which part in a sign-in, and the URLs that lead there.
import { ownPrefix } from './authority.ts';
import type { OwnRequest } from './authority.ts';
import type { ClassSettings } from '../model/settings.ts';

/** Whether a host (without port) is the class's authentication host. */
export function isAuthenticationHost(settings: ClassSettings, host: string): boolean {
  return settings.authenticationHost?.replace(/:[0-9]+$/, '') === host;
}

/** The host that speaks with the provider for this request: the authentication host, or the request's own. */
export function signInAuthority(settings: ClassSettings, request: OwnRequest): string {
  return settings.authenticationHost ?? request.authority;
}

/** Where the provider reaches us by itself: on the authentication host, or where there is none on any host. */
export function logoutChannelPath(settings: ClassSettings, channel: 'backchannel' | 'frontchannel'): string {
  return settings.authenticationHost === undefined ? `${ownPrefix}${channel}-logout` : `/oauth2/${channel}-logout`;
}

/** Where a person chooses a provider, on the host that speaks with them. */
export const choicePath = `${ownPrefix}choose`;

/** A URL on a host of ours; `path` begins with a slash. */
export function urlOn(scheme: 'http' | 'https', authority: string, path: string): string {
  return `${scheme}://${authority}${path}`;
}
