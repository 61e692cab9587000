// HTML that escapes what is put into it, and pages that load nothing from anywhere: one style, perhaps one script, both pinned by hash.
import { createHash } from 'node:crypto';

/** Markup that is safe to put into a page as it is; only `html` and `trusted` make it. */
export interface Html {
  readonly markup: string;
}

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

/** A template whose values are escaped, save those that are markup already. */
export function html(
  strings: TemplateStringsArray,
  ...values: readonly (string | number | Html | readonly Html[])[]
): Html {
  return { markup: String.raw({ raw: strings }, ...values.map(markupOf)) };
}

function markupOf(value: string | number | Html | readonly Html[]): string {
  if (typeof value === 'string' || typeof value === 'number') return escapeHtml(String(value));
  return 'markup' in value ? value.markup : value.map((part) => part.markup).join('');
}

/** Declares markup safe that somebody else has made. */
export function trusted(markup: string): Html {
  return { markup };
}

export interface PageParts {
  /** Of the browser's tab. */
  readonly title: string;
  /** The name in the page's head, and the CSS colours of its mark for light and dark. */
  readonly brand: { readonly name: string; readonly light: string; readonly dark: string };
  readonly body: Html;
  readonly style?: string;
  readonly script?: string;
}

export interface RenderedPage {
  readonly markup: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * A whole page and the headers that belong to it. The policy has no `form-action`: browsers apply it to the redirects
 * after a form as well, and a sign-in form ends at the application (w3c/webappsec-csp#8).
 */
export function renderPage({ title, brand, body, style = '', script }: PageParts): RenderedPage {
  const css = `:root{--accent:light-dark(${brand.light},${brand.dark})}${baseStyle}${style}`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        ${element('style', css)}
      </head>
      <body>
        <header><span class="mark"></span><strong>${brand.name}</strong></header>
        <main>${body}</main>
        ${script === undefined ? '' : element('script', script)}
      </body>
    </html> `;
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(css)}'`,
    ...(script === undefined ? [] : [`script-src '${hashOf(script)}'`, "connect-src 'self'"]),
    'img-src data:',
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    markup: page.markup,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy.join('; '),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
    },
  };
}

/** Letter for letter: the hash in the policy counts white space, which a formatter of templates would add. */
function element(name: 'style' | 'script', content: string): Html {
  return trusted(`<${name}>${content}</${name}>`);
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

const baseStyle = `
:root{color-scheme:light dark;--paper:light-dark(#f5f6f8,#14161b);--card:light-dark(#fff,#1d2027);
--ink:light-dark(#1b1f27,#e8eaef);--muted:light-dark(#5b6472,#9aa3b2);--line:light-dark(#dfe3e9,#30353f);
--good:light-dark(#14713d,#5fd08f);--bad:light-dark(#b3261e,#ff8f85);--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
*{box-sizing:border-box}
body{margin:0;padding:1.25rem clamp(1rem,4vw,2.5rem) 3rem;background:var(--paper);color:var(--ink);
font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
header{display:flex;align-items:center;gap:.6rem;max-width:60rem;margin:0 auto 1.75rem}
.mark{width:1.5rem;height:1.5rem;border-radius:.45rem;background:var(--accent)}
main{max-width:60rem;margin:0 auto}
h1{font-size:clamp(1.45rem,4vw,1.9rem);line-height:1.2;letter-spacing:-.015em;margin:0 0 .5rem;text-wrap:balance}
h2{font-size:1rem;margin:0 0 .75rem}
p{margin:0 0 1rem}
.muted{color:var(--muted)}
.card{background:var(--card);border:1px solid var(--line);border-radius:.8rem;padding:1.25rem;margin:1.25rem 0}
.card>:last-child,.card>form>:last-child{margin-bottom:0}
.narrow{max-width:26rem;margin-inline:auto}
body:has(.narrow){padding-top:clamp(1.25rem,9vh,6rem)}
body:has(.narrow) header{max-width:26rem}
a{color:var(--accent);text-underline-offset:.2em}
code,pre,.mono{font-family:var(--mono);font-size:.875em}
button,input{font:inherit;color:inherit}
button{cursor:pointer;border:1px solid var(--line);border-radius:.6rem;background:var(--card);padding:.6rem .9rem}
button:hover{border-color:var(--accent)}
button.primary{background:var(--accent);border-color:var(--accent);color:light-dark(#fff,#14161b);font-weight:600}
input{width:100%;border:1px solid var(--line);border-radius:.6rem;background:var(--paper);padding:.55rem .75rem}
:is(a,button,input):focus-visible{outline:3px solid color-mix(in srgb,var(--accent) 55%,transparent);outline-offset:2px}
nav{display:flex;flex-wrap:wrap;gap:.5rem 1.25rem;margin-top:1.5rem}
.good{color:var(--good)}.bad{color:var(--bad)}
`;
