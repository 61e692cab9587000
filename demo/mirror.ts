// The demo application that shows what reached it: the request as it came, who it says you are, and whether that is proven.
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { personOf } from './assertion.ts';
import type { Assertion, Person, ReadAssertion } from './assertion.ts';
import { html, renderPage } from './html.ts';
import type { Html, RenderedPage } from './html.ts';
import { sendJson, sendPage } from './serving.ts';

/** What the mirror saw. */
export interface Reflection {
  readonly method: string;
  readonly path: string;
  /** Node's view: lower-case names, repeated ones joined. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** As they came: order, letter case, repetitions. */
  readonly rawHeaders: readonly (readonly [string, string])[];
  /** `null`: nobody is signed in, or it is not proven. */
  readonly identity: Person | null;
  /** `null`: there was none. */
  readonly assertion: Assertion | null;
}

/** Answers every path and method: JSON for `/json` and for those who ask for JSON and not for HTML, a page for everybody else. */
export function createMirror(readAssertion: ReadAssertion): Server {
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reflection = reflect(request, await readAssertion(request));
    if (wantsJson(request)) sendJson(response, 200, reflection);
    else sendPage(response, 200, mirrorPage(reflection));
  }
  return createServer((request, response) => {
    request.resume();
    void answer(request, response);
  });
}

function reflect(request: IncomingMessage, assertion: Assertion | undefined): Reflection {
  const { rawHeaders } = request;
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    rawHeaders: rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ''] as const] : [])),
    identity: personOf(assertion) ?? null,
    assertion: assertion ?? null,
  };
}

function wantsJson(request: IncomingMessage): boolean {
  const { accept = '' } = request.headers;
  const path = request.url?.split('?', 1)[0];
  return path === '/json' || (accept.includes('application/json') && !accept.includes('text/html'));
}

const style = `
dl{display:grid;grid-template-columns:max-content 1fr;gap:.35rem 1.25rem;margin:0}
dt{color:var(--muted)}dd{margin:0;overflow-wrap:anywhere}
.request{font-size:1rem;overflow-wrap:anywhere}
.badge{display:inline-block;border:1px solid currentColor;border-radius:2rem;padding:.05rem .7rem;font-size:.85rem;font-weight:600;margin:0 0 .75rem}
pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;table-layout:fixed}
th,td{text-align:left;vertical-align:top;padding:.45rem 0;border-top:1px solid var(--line);overflow-wrap:anywhere}
tr:first-child>*{border-top:0}
th{width:34%;padding-right:1rem;font-weight:500;color:var(--muted)}
@media (max-width:38rem){th,td{display:block;width:auto}td{border-top:0;padding-top:0}th{padding-bottom:0}}
`;

function mirrorPage({ method, path, rawHeaders, identity, assertion }: Reflection): RenderedPage {
  return renderPage({
    title: 'Mirror',
    brand: { name: 'Mirror', light: '#0b7285', dark: '#5cc8db' },
    style,
    body: html`<h1>
        ${identity === null ? 'Nobody is signed in' : `Hello, ${identity.name ?? identity.email ?? identity.user}`}
      </h1>
      <p class="muted">This application looks at the request that reached it, and at nothing else.</p>
      ${identity === null ? '' : personCard(identity)} ${assertionCard(assertion)}
      <section class="card">
        <h2>The request</h2>
        <p class="mono request"><strong>${method}</strong> ${path}</p>
        <table class="mono">
          ${rawHeaders.map(
            ([name, value]) =>
              html`<tr>
                <th scope="row">${name}</th>
                <td>${value}</td>
              </tr> `,
          )}
        </table>
      </section>
      <nav>
        <a href="/.sallyport/">Who am I?</a><a href="/.sallyport/sign-out">Sign out</a><a href="/json">As JSON</a>
      </nav>`,
  });
}

function personCard(person: Person): Html {
  const groups = person.groups.length === 0 ? 'none' : person.groups.join(', ');
  return html`<section class="card">
    <h2>Who you are</h2>
    <dl>
      <dt>E-mail</dt>
      <dd>${person.email ?? 'not told'}</dd>
      <dt>Groups</dt>
      <dd>${groups}</dd>
      <dt>User</dt>
      <dd class="mono">${person.user}</dd>
    </dl>
  </section>`;
}

function assertionCard(assertion: Assertion | null): Html {
  if (assertion === null) {
    return html`<section class="card">
      <h2>The proof</h2>
      <p class="muted">No <code>X-Sallyport-Jwt-Assertion</code> came with the request.</p>
    </section>`;
  }
  const verdict = assertion.verified
    ? html`<p class="badge good">signature verified</p>`
    : html`<p class="badge bad">not proven</p>
        <p>${assertion.error}</p>`;
  return html`<section class="card">
    <h2>The proof</h2>
    ${verdict}
    <pre>${JSON.stringify(assertion.claims ?? null, null, 2)}</pre>
  </section>`;
}
