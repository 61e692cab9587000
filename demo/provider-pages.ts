// The pages of the demo's OpenID provider: who are you, signed out, and what went wrong.
import { demoPassword } from './accounts.ts';
import type { Account } from './accounts.ts';
import { html, renderPage, trusted } from './html.ts';
import type { Html, RenderedPage } from './html.ts';

const brand = { name: 'Demo ID', light: '#5b3fd6', dark: '#a897ff' };

const style = `
.people{display:grid;gap:.6rem;margin:1rem 0}
.person{display:grid;grid-template-columns:2.5rem 1fr;gap:0 .85rem;align-items:center;text-align:left;width:100%;padding:.75rem .9rem}
.person .face{grid-row:span 2;display:grid;place-items:center;width:2.5rem;height:2.5rem;border-radius:50%;
background:color-mix(in srgb,var(--accent) 16%,transparent);color:var(--accent);font-weight:650}
.person small{overflow-wrap:anywhere}
.person[aria-current]{border-color:var(--accent)}
label{display:block;font-size:.9rem;margin-bottom:.35rem}
.card ul,ul.card{padding-left:2.25rem}
.row{display:flex;flex-wrap:wrap;gap:.6rem}
`;

export interface SignInPageParts {
  readonly accounts: Iterable<Account>;
  /** Where it came from: the client's name. */
  readonly clientName: string;
  /** `sub` of the person who is signed in here already, or whom `login_hint` names. */
  readonly current?: string;
  readonly wrongPassword: boolean;
  /** A second factor is asked for; a person may do without. */
  readonly asksForCode: boolean;
}

/** One click on a person signs in; the form posts to the page's own address. */
export function signInPage(parts: SignInPageParts): RenderedPage {
  const { accounts, clientName, current, wrongPassword, asksForCode } = parts;
  const people = [...accounts].map((account) => personButton(account, account.sub === current));
  return renderPage({
    title: 'Sign in – Demo ID',
    brand,
    style,
    body: html`<div class="narrow">
      <h1>Who are you today?</h1>
      <p class="muted">to continue to ${clientName}</p>
      <form method="post" class="card">
        ${wrongPassword ? html`<p class="bad" role="alert">That is not the password. It is <code>${demoPassword}</code>.</p>` : ''}
        <label for="password">Password, the same for everybody: <code>${demoPassword}</code></label>
        <input
          id="password"
          name="password"
          type="password"
          value="${demoPassword}"
          autocomplete="off"
          maxlength="64"
        />
        ${asksForCode ? codeField : ''}
        <div class="people">${people}</div>
        <button name="cancel" value="yes">Cancel</button>
      </form>
    </div>`,
  });
}

const codeField = html`<label for="code">One-time code, any digits; empty: the password will have to do</label>
  <input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="6" />`;

function personButton(account: Account, isCurrent: boolean): Html {
  const groups = account.groups.length === 0 ? 'in no group' : account.groups.join(', ');
  return html`<button
    class="person"
    name="account"
    value="${account.sub}"
    ${isCurrent ? trusted(' aria-current="true"') : ''}
  >
    <span class="face" aria-hidden="true">${account.name.slice(0, 1)}</span>
    <strong>${account.email}</strong>
    <small class="muted">${groups}</small>
  </button> `;
}

/**
 * Ends the session here. `form` is the library's, with its token against forged posts. With `confirmed` the page sends
 * itself off: the client has shown the person's own id token (OpenID Connect RP-Initiated Logout 1.0, section 2).
 */
export function signOutPage(form: string, confirmed: boolean): RenderedPage {
  return renderPage({
    title: 'Sign out – Demo ID',
    brand,
    style,
    body: html`<div class="narrow">
      <h1>${confirmed ? 'Signing you out' : 'Sign out of Demo ID?'}</h1>
      <div class="card">
        ${trusted(form)}
        <div class="row">
          <button class="primary" id="sign-out" form="op.logoutForm" name="logout" value="yes">Sign out</button>
          ${confirmed ? '' : html`<button form="op.logoutForm">Stay signed in</button>`}
        </div>
      </div>
    </div>`,
    ...(confirmed && { script: "document.getElementById('sign-out').click()" }),
  });
}

export function signedOutPage(): RenderedPage {
  return message('Signed out', 'You are signed out of Demo ID. You may close this page.');
}

/** An error of the protocol; both texts are the library's own words, which may quote the request. */
export function errorPage(error: string, description: string | undefined): RenderedPage {
  return message('That did not work', description ?? 'The request cannot be answered.', error);
}

export function frontPage(issuer: string, accounts: Iterable<Account>): RenderedPage {
  const people = [...accounts].map((account) => html`<li>${account.email}</li>`);
  return renderPage({
    title: 'Demo ID',
    brand,
    style,
    body: html`<div class="narrow">
      <h1>Demo ID</h1>
      <p class="muted">
        A real OpenID provider, for trying Sallyport on one computer. It knows these people, whose password is
        <code>${demoPassword}</code>:
      </p>
      <ul class="card mono">
        ${people}
      </ul>
      <nav><a href="${issuer}/.well-known/openid-configuration">Discovery</a><a href="/session/end">Sign out</a></nav>
    </div>`,
  });
}

function message(heading: string, text: string, code?: string): RenderedPage {
  return renderPage({
    title: `${heading} – Demo ID`,
    brand,
    style,
    body: html`<div class="narrow">
      <h1>${heading}</h1>
      <div class="card">
        <p>${text}</p>
        ${code === undefined ? '' : html`<code class="muted">${code}</code>`}
      </div>
    </div>`,
  });
}
