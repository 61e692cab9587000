// The one HTML document that a page is shown in: no script, nothing from elsewhere, light and dark.
import { createHash } from 'node:crypto';
import type { Action } from './actions.ts';
import type { Description, Entry, Fact, Section } from './pages.ts';

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
  const paragraphs = [page.detail, ...(page.advice === undefined ? [] : [page.advice])];
  const body = [
    // An e-mail address may be the title: on a narrow screen it breaks before its domain.
    `<h1>${title.replaceAll('@', '<wbr>@')}</h1>`,
    ...paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`),
    ...(page.facts === undefined ? [] : [`<dl>\n${page.facts.map(renderFact).join('\n')}\n</dl>`]),
    ...(page.actions ?? []).map(renderAction),
    ...(page.section === undefined ? [] : [renderSection(page.section)]),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${refresh}<title>${title} · Sallyport</title>
<style>${style}</style>
</head>
<body>
<header>${mark}Sallyport</header>
<main>
${body.join('\n')}
</main>
<footer>${page.status < 400 ? 'Request' : `Error ${page.status}. If you ask for help, please quote`}
<code>${escapeHtml(requestId)}</code></footer>
</body>
</html>
`;
}

function renderFact([label, value]: Fact): string {
  const shown =
    typeof value === 'string'
      ? escapeHtml(value)
      : `<ul>${value.map((each) => `<li>${escapeHtml(each)}</li>`).join('')}</ul>`;
  return `<div><dt>${escapeHtml(label)}</dt><dd>${shown}</dd></div>`;
}

function renderSection({ title, entries, action }: Section): string {
  return `<section>
<h2>${escapeHtml(title)}</h2>
<ul class="entries">
${entries.map(renderEntry).join('\n')}
</ul>
${action === undefined ? '' : renderAction(action)}
</section>`;
}

function renderEntry({ title, tag, detail, action }: Entry): string {
  const mark = tag === undefined ? '' : ` <span class="tag">${escapeHtml(tag)}</span>`;
  return `<li><div><strong>${escapeHtml(title)}</strong>${mark}<p>${escapeHtml(detail)}</p></div>${action === undefined ? '' : renderAction(action)}</li>`;
}

function renderAction({ label, url, method, fields = {}, of }: Action): string {
  const text = escapeHtml(label);
  // A `javascript:` address would need a mistake of ours; the content security policy forbids to run it all the same.
  if (method === 'get') return `<a class="button" href="${escapeHtml(url)}">${text}</a>`;
  const inputs = Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`)
    .join('');
  const name = of === undefined ? '' : ` aria-label="${escapeHtml(`${label}: ${of}`)}"`;
  return `<form method="post" action="${escapeHtml(url)}">${inputs}<button class="button"${name}>${text}</button></form>`;
}

/** A gate in a wall: part of the document, for the policy lets no image in. */
const mark =
  '<svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">' +
  '<path d="M2 22V3h4v3h4V3h4v3h4V3h4v19h-6v-6a4 4 0 0 0-8 0v6z"/></svg>';

const style = `
:root{color-scheme:light dark;--ink:#1b2330;--soft:#566171;--line:#dfe4ea;--card:#fff;--ground:#f4f6f8;--tag:#edf1f5;--accent:#1d5bb8;--pressed:#17488f;--on-accent:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e7ebf1;--soft:#a0abba;--line:#2b3441;--card:#181f29;--ground:#0f141b;--tag:#252e3a;--accent:#86b4ff;--pressed:#abccff;--on-accent:#0f141b}}
*{box-sizing:border-box}
body{display:flex;flex-direction:column;min-height:100vh;min-height:100svh;margin:0;padding:clamp(1.25rem,12vh,8rem) clamp(1rem,4vw,2rem) 2rem;background:var(--ground);color:var(--ink);font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
header,main,footer{width:100%;max-width:34rem;margin:0 auto}
header{display:flex;align-items:center;gap:.625rem;margin-bottom:1rem;padding:0 .25rem;font-weight:600;letter-spacing:.01em}
svg{flex:none;fill:var(--accent)}
main{padding:clamp(1.5rem,6vw,2.5rem);background:var(--card);border:1px solid var(--line);border-radius:1rem;box-shadow:0 1px 2px #0f141b0a,0 8px 24px #0f141b0a}
h1{margin:0 0 .75rem;font-size:clamp(1.375rem,5vw,1.75rem);line-height:1.25;letter-spacing:-.01em;text-wrap:balance}
p{margin:0;text-wrap:pretty}
p+p{margin-top:.75rem}
dl{margin:1.5rem 0 0}
dl>div{display:grid;grid-template-columns:8.5rem 1fr;gap:0 1rem;padding:.625rem 0;border-top:1px solid var(--line)}
dt{color:var(--soft)}
dd{min-width:0;margin:0}
ul{display:flex;flex-wrap:wrap;gap:.375rem;margin:0;padding:0;list-style:none}
li,.tag{max-width:100%;padding:.0625rem .5rem;border-radius:.375rem;background:var(--tag);font-size:.875rem}
section{margin-top:2rem}
h2{margin:0 0 .75rem;font-size:1.125rem;line-height:1.3}
.entries{display:block}
.entries li{display:flex;align-items:center;justify-content:space-between;gap:.75rem 1.5rem;padding:.75rem 0;border-top:1px solid var(--line);border-radius:0;background:none;font-size:1rem}
.entries div{min-width:0}
.entries p{color:var(--soft);font-size:.875rem}
.entries .button{margin:0;background:none;border-color:var(--line);color:var(--ink);white-space:nowrap}
.entries .button:hover{background:var(--tag)}
.button{display:inline-flex;align-items:center;justify-content:center;min-height:2.75rem;margin-top:1.5rem;padding:.5rem 1.25rem;border:1px solid transparent;border-radius:.625rem;background:var(--accent);color:var(--on-accent);font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer}
.button:hover{background:var(--pressed)}
.button:focus-visible{outline:3px solid var(--ink);outline-offset:3px}
footer{padding:1rem .25rem 0;color:var(--soft);font-size:.875rem}
code{display:inline-block;font:.8125rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;user-select:all}
@media(max-width:30rem){dl>div{grid-template-columns:1fr}dt{font-size:.875rem}.button{width:100%}.entries li{flex-direction:column;align-items:stretch}}
@media(forced-colors:active){.button{border-color:ButtonText}}
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

/** A page with nothing on it, for a frame that nobody looks at. */
export function renderFrame(): string {
  return '<!doctype html><html lang="en"><title>Signed out</title></html>\n';
}

/** @param ancestors Origins; empty: nobody may show it. */
export function frameHeaders(ancestors: readonly string[]): readonly string[] {
  const by = ancestors.length === 0 ? "'none'" : ancestors.join(' ');
  return [
    'Content-Security-Policy',
    `default-src 'none'; frame-ancestors ${by}; base-uri 'none'`,
    'X-Content-Type-Options',
    'nosniff',
    'Referrer-Policy',
    'no-referrer',
  ];
}
