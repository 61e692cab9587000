// A directory: which groups a person is in, asked of the provider's own API where its tokens do not say.
import type { DirectorySettings } from '../../model/directory-settings.ts';
import { createEntraDirectory } from './entra.ts';
import { createGitHubDirectory } from './github.ts';
import { createGoogleDirectory } from './google.ts';
import { createOktaDirectory } from './okta.ts';

/** A person, as the provider named them at sign-in. */
export interface Person {
  /** The provider's own name for them, for good. */
  readonly subject: string;
  /** Only where it is verified. */
  readonly email?: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface Directory {
  /** All of a person's groups, or an error: never some of them. None for whom the directory does not know. @throws {DirectoryError} */
  groupsOf(person: Person): Promise<readonly string[]>;
  close(): Promise<void>;
}

export function createDirectory(settings: DirectorySettings, now: () => number): Directory {
  switch (settings.type) {
    case 'Google':
      return createGoogleDirectory(settings, now);
    case 'Entra':
      return createEntraDirectory(settings, now);
    case 'Okta':
      return createOktaDirectory(settings, now);
    case 'GitHub':
      return createGitHubDirectory(settings, now);
  }
}
