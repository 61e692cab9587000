// A verdict in plain sentences: what each policy said and why, and what came of all of them together.
import type { Outcome, PolicyVerdict, Reason, Verdict } from '../model/policy.ts';
import { asksWhoItIs, grants } from './evaluate.ts';

const words = {
  accept: 'it accepts everybody',
  reject: 'it rejects everybody',
  'user-unauthenticated': 'nobody is signed in',
  'user-ok': 'the user is one it asks for',
  'user-unauthorized': 'the user is not one it asks for',
  'email-ok': 'the e-mail address matches',
  'email-unauthorized': 'the e-mail address does not match',
  'domain-ok': "the e-mail address's domain matches",
  'domain-unauthorized': "the e-mail address's domain does not match",
  'groups-ok': "the person's groups match",
  'groups-unauthorized': "the person's groups do not match",
  'claim-ok': 'the claim matches',
  'claim-unauthorized': 'the claim does not match',
  'http-method-ok': 'the request method matches',
  'http-method-unauthorized': 'the request method does not match',
  'http-path-ok': 'the request path matches',
  'http-path-unauthorized': 'the request path does not match',
  'source-ip-ok': "the client's address matches",
  'source-ip-unauthorized': "the client's address does not match",
} satisfies Record<Reason, string>;

/**
 * One sentence for each policy that had something to say, and a last one where none of them accounts for the decision.
 * For operators: it names policies, and nothing of the person.
 */
export function explainVerdict({ decision, policies }: Verdict): string[] {
  const sentences = policies.map(explainPolicy);
  const enforced = policies.filter(({ mode }) => mode !== 'Audit');
  if (decision === 'Login' && !enforced.some(asksWhoItIs)) {
    sentences.push('Nobody is signed in, and the default access asks who it is: sign in first.');
  }
  if (decision === 'Allow' && !enforced.some(grants)) {
    sentences.push('No policy has to grant access here: the default access lets in whoever is signed in.');
  }
  if (decision === 'Deny' && !policies.some(isBroken) && !enforced.some(refuses)) {
    sentences.push('No policy grants access.');
  }
  return sentences;
}

function isBroken({ broken }: PolicyVerdict): boolean {
  return broken !== undefined;
}

function refuses({ allow, deny }: PolicyVerdict): boolean {
  return deny?.result === true || allow?.result === false;
}

function explainPolicy(verdict: PolicyVerdict): string {
  const { policy, mode, allow, deny, broken } = verdict;
  if (broken !== undefined) return `${policy} is broken, and a broken policy denies: ${broken}.`;
  const audit = mode === 'Audit';
  const name = audit ? `${policy} is in Audit and without effect: it` : policy;
  if (asksWhoItIs(verdict)) {
    if (audit) return `${name} would ask who it is.`;
    return `Nobody is signed in, and ${policy} asks who it is: sign in first.`;
  }
  const verb = (plain: string, conditional: string): string => `${name} ${audit ? conditional : plain}`;
  if (deny?.result === true) return `${verb('denies', 'would deny')}${because(deny)}.`;
  if (allow === undefined) return `${verb('does not deny', 'would not deny')}, and has no allow rules.`;
  if (!allow.result) return `${verb('does not allow', 'would not allow')}${because(allow)}.`;
  if (!audit && !grants(verdict)) return `${policy} has no objection, but cannot grant${because(allow)}.`;
  return `${verb('allows', 'would allow')}${because(allow)}.`;
}

function because({ reasons }: Outcome): string {
  if (reasons.length === 0) return '';
  return `: ${reasons.map((reason) => words[reason]).join(', ')}`;
}
