// The one HTML document that a page is shown in: no script, nothing from elsewhere, light and dark.
import { createHash } from 'node:crypto';
import type { Action, Description } from './pages.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** The document. `requestId` is what a person quotes to the operator. */
export function renderHtml(page: Description, requestId: string): string {
  const title = escapeHtml(page.title);
  const refresh =
    page.goOn === undefined ? '' : `<meta http-equiv="refresh" content="0;url=${escapeHtml(page.goOn)}">\n`;
  const facts = (page.facts ?? []).map(
    ([label, value]) => `<dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${refresh}<title>${title}</title>
<style>${style}</style>
</head>
<body>
<main>
<p class="status">${page.status === 200 ? 'Sallyport' : page.status}</p>
<h1>${title}</h1>
<p>${escapeHtml(page.detail)}</p>
${facts.length === 0 ? '' : `<dl>${facts.join('')}</dl>`}
${(page.actions ?? []).map(renderAction).join('\n')}
<footer>Request <code>${escapeHtml(requestId)}</code></footer>
</main>
</body>
</html>
`;
}

function renderAction({ label, url, method }: Action): string {
  const text = escapeHtml(label);
  // A `javascript:` address would need a mistake of ours; the content security policy forbids to run it all the same.
  if (method === 'get') return `<a class="button" href="${escapeHtml(url)}">${text}</a>`;
  return `<form method="post" action="${escapeHtml(url)}"><button class="button">${text}</button></form>`;
}

const style = `
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#dde2e9;--paper:#fff;--ground:#f3f5f8;--accent:#1f5fbf;--on-accent:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#9aa6b5;--line:#2c3644;--paper:#171e28;--ground:#0e131a;--accent:#7fb0ff;--on-accent:#0e131a}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}
main{width:100%;max-width:34rem;padding:2.5rem;background:var(--paper);border:1px solid var(--line);border-radius:.75rem}
.status{margin:0;color:var(--soft);font-size:.875rem;font-weight:600;letter-spacing:.06em}
h1{margin:.25rem 0 .75rem;font-size:1.5rem;line-height:1.25;overflow-wrap:anywhere}
p{margin:0 0 1rem;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:auto 1fr;gap:.375rem 1.25rem;margin:1.25rem 0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
.button{display:inline-block;margin-top:.5rem;padding:.6rem 1.1rem;border:0;border-radius:.5rem;background:var(--accent);color:var(--on-accent);font:inherit;font-weight:600;text-decoration:none;cursor:pointer}
.button:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
footer{margin-top:2rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.8125rem}
code{overflow-wrap:anywhere}
`;

const styleHash = createHash('sha256').update(style).digest('base64');

/**
 * `posts`: the page has a form. Chromium holds redirects after a post to `form-action` too, and signing out redirects to
 * the provider: there the directive is left out. And with `no-referrer` a form's Origin is `null` (Fetch §3.2), which
 * `auth` takes for a forgery: `same-origin` keeps it.
 */
export function securityHeaders(posts: boolean): readonly string[] {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    ...(posts ? [] : ["form-action 'self'"]),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  return [
    'Content-Security-Policy',
    policy.join('; '),
    'X-Content-Type-Options',
    'nosniff',
    'Referrer-Policy',
    posts ? 'same-origin' : 'no-referrer',
  ];
}
