// The next page, as a Link header names it (RFC 8288).
import { DirectoryError } from './directory-error.ts';

/** `undefined`: it was the last. Several headers arrive joined by commas. */
export function nextLink(headers: Headers): URL | undefined {
  for (const [, target = '', parameters = ''] of (headers.get('link') ?? '').matchAll(/<([^>]*)>([^,<]*)/g)) {
    if (!/;\s*rel="?next"?\s*(;|$)/i.test(parameters)) continue;
    const url = URL.parse(target);
    if (url === null) throw new DirectoryError('unavailable', 'a directory named a next page that is no URL');
    return url;
  }
  return undefined;
}
