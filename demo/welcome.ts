// The demo's front door: a public page that says what there is to try.
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { demoPassword } from './accounts.ts';
import { html, renderPage } from './html.ts';
import type { Html, RenderedPage } from './html.ts';
import { sendPage, sendText } from './serving.ts';

const style = `
.doors{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr));gap:1.25rem;margin:1.5rem 0}
.doors .card{margin:0;display:block;color:inherit;text-decoration:none}
.doors .card:hover{border-color:var(--accent)}
.doors strong{color:var(--accent)}
.doors p{margin:.35rem 0 0}
ul{padding-left:1.2rem;margin:0}
`;

export function createWelcome(): Server {
  return createServer((request, response) => {
    request.resume();
    if (request.url?.split('?', 1)[0] === '/') sendPage(response, 200, welcomePage(request.headers.host ?? ''));
    else sendText(response, 404, 'There is nothing here.');
  });
}

/** The other doors are at the same port: `welcome.localhost:8080` leads to `app.localhost:8080`. */
function welcomePage(host: string): RenderedPage {
  const port = /:[0-9]{1,5}$/.exec(host)?.[0] ?? '';
  const door = (name: string, title: string, text: string): Html =>
    html`<a class="card" href="//${name}.localhost${port}/"
      ><strong>${title}</strong>
      <p class="muted">${text}</p></a
    >`;
  return renderPage({
    title: 'Welcome to Sallyport',
    brand: { name: 'Welcome', light: '#1c5fd0', dark: '#86b4ff' },
    style,
    body: html`<h1>You are at the gate</h1>
      <p class="muted">
        This page is public: its Ingress says so. Behind each of these doors Sallyport asks who you are.
      </p>
      <div class="doors">
        ${door('app', 'Mirror', 'For anybody who is signed in. Shows what an application gets to see.')}
        ${door('clock', 'Clock', 'For anybody who is signed in. A WebSocket and an event stream that stay open.')}
        ${door('engineering', 'Engineering', 'For engineers of example.com alone: ana may enter, bob and eve may not.')}
      </div>
      <section class="card">
        <h2>To try</h2>
        <ul>
          <li>
            Sign in as <code>ana@example.com</code>, password <code>${demoPassword}</code>; one sign-in opens every
            door.
          </li>
          <li>Sign out and come back as <code>bob@example.com</code>: Engineering refuses him.</li>
          <li>Change a file in <code>demo/manifests</code>; it counts as soon as it is saved.</li>
        </ul>
      </section>`,
  });
}
