// The provider's own interaction: a person says who they are, or cancels.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider as OidcProvider } from 'oidc-provider';
import { demoPassword, strengths } from './accounts.ts';
import type { Account } from './accounts.ts';
import { errors } from './oidc-provider.ts';
import { errorPage, signInPage } from './provider-pages.ts';
import { readForm, sendPage } from './serving.ts';

const maxFormBytes = 4096;

type Interaction = Awaited<ReturnType<OidcProvider['interactionDetails']>>;

/** Answers GET and POST of `/interaction/ID`. The library ties the id to this browser by a cookie: nobody can post for another. */
export async function interact(
  provider: OidcProvider,
  accounts: ReadonlyMap<string, Account>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let interaction: Interaction;
  try {
    interaction = await provider.interactionDetails(request, response);
  } catch (error) {
    if (!(error instanceof errors.SessionNotFound)) throw error;
    const text = 'This sign-in is over, too old, or was begun in another browser. Go back to the application.';
    return sendPage(response, 400, errorPage('expired', text));
  }
  const finish = (result: Parameters<OidcProvider['interactionFinished']>[2]) =>
    provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });

  // Asked for alone, consent needs nobody: it is given to every request (see grantAll).
  if (interaction.prompt.name === 'consent') return finish({ consent: {} });
  if (request.method !== 'POST') return showSignIn(accounts, interaction, response, false);

  const form = await readForm(request, maxFormBytes);
  if (form === undefined) return sendPage(response, 413, errorPage('too_large', 'The form is too long.'));
  if (form.has('cancel')) return finish({ error: 'access_denied', error_description: 'the person cancelled' });
  const account = accounts.get(form.get('account') ?? '');
  if (account === undefined || form.get('password') !== demoPassword) {
    return showSignIn(accounts, interaction, response, true);
  }
  const strength =
    (form.get('code') ?? '') === ''
      ? { acr: strengths.password, amr: ['pwd'] }
      : { acr: strengths.twoFactors, amr: ['pwd', 'otp', 'mfa'] };
  await finish({ login: { accountId: account.sub, ...strength }, select_account: {}, consent: {} });
}

function showSignIn(
  accounts: ReadonlyMap<string, Account>,
  interaction: Interaction,
  response: ServerResponse,
  wrongPassword: boolean,
): void {
  const hint = interaction.params['login_hint'];
  const hinted = accounts.values().find((account) => account.email === hint || account.sub === hint);
  const current = interaction.session?.accountId ?? hinted?.sub;
  const asked = interaction.params['acr_values'];
  const page = signInPage({
    accounts: accounts.values(),
    clientName: 'Sallyport',
    wrongPassword,
    asksForCode: typeof asked === 'string' && asked.split(' ').includes(strengths.twoFactors),
    ...(current !== undefined && { current }),
  });
  sendPage(response, wrongPassword ? 403 : 200, page);
}
