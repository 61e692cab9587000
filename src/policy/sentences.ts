// An explanation in plain sentences: what each policy said and why, and what came of all of them together.
import { reasons } from '../model/reason.ts';
import type { StepUp } from '../model/step-up.ts';
import type { Explanation, Outcome, PolicyVerdict } from '../model/verdict.ts';
import { asksWhoItIs, grants } from './explain.ts';

/**
 * One sentence for each policy that had something to say, and a last one where none of them accounts for the decision.
 * For operators: it names policies, and nothing of the person.
 */
export function explainVerdict({ verdict, policies }: Pick<Explanation, 'verdict' | 'policies'>): string[] {
  const { decision, stepUp } = verdict;
  const sentences = policies.flatMap((policy) => [explainPolicy(policy), ...explainTrial(policy)]);
  const enforced = policies.filter(({ mode }) => mode !== 'Audit');
  if (stepUp !== undefined) {
    sentences.push(explainStepUp(stepUp));
  } else if (decision === 'Login' && !enforced.some(asksWhoItIs)) {
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

function explainStepUp({ withinSeconds, acrValues, methods }: StepUp): string {
  const wanted = [
    ...(withinSeconds === undefined ? [] : [`at most ${withinSeconds} seconds ago`]),
    ...(acrValues === undefined ? [] : [`with acr ${acrValues.join(' or ')}`]),
    ...(methods === undefined ? [] : [`by ${methods.join(' and ')}`]),
  ];
  const isOld = acrValues === undefined && methods === undefined;
  return `Nothing but ${isOld ? 'the age of the sign-in' : 'how they signed in'} is in the way: sign in again, ${wanted.join(', ')}.`;
}

function isBroken({ broken }: PolicyVerdict): boolean {
  return broken !== undefined;
}

/** Whether a policy that is enforced stands in the way. */
function refuses({ allow, deny }: Pick<PolicyVerdict, 'allow' | 'deny'>): boolean {
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

/** Of a policy some of whose rules are in Audit. */
function explainTrial({ policy, attachment, trial }: PolicyVerdict): readonly string[] {
  if (trial === undefined) return [];
  const told = explainPolicy({
    policy: `With its rules in Audit enforced, ${policy}`,
    mode: 'Enforce',
    attachment,
    ...trial,
  });
  return [told.replace(/^Nobody is signed in, and (.*) asks who it is: sign in first\.$/, '$1 would ask who it is.')];
}

function because({ reasons: found, rule }: Outcome): string {
  const by = rule === undefined ? '' : ` by its rule “${rule}”`;
  if (found.length === 0) return by;
  return `${by}: ${found.map((reason) => reasons[reason]).join(', ')}`;
}
