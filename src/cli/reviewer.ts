// Whom a review is asked of, by the flags: a folder, a cluster, or a running instance.
import { createReviewer } from '../review/answer.ts';
import type { AccessAnswer, Answered, ExplainAnswer } from '../review/answer.ts';
import { askAdmin } from './admin.ts';
import { readServed } from './served.ts';
import { UsageError } from './settings.ts';

export const reviewerHelp = `  --manifests DIR | --kubeconfig FILE | --admin URL
                        What is asked: a folder, a cluster, a running instance. [a cluster, as kubectl finds it]
  --admin-token-file FILE   Where the token of that instance is. [as its --admin-token-file]
  --class NAME          The IngressClass. [sallyport]
  --namespace NAME      Where the installation's own Secrets live. [sallyport-system]
  --namespaces a,b      Those that the installation serves. [all]
  -o, --output text|json`;

export const reviewerOptions = {
  manifests: { type: 'string' },
  kubeconfig: { type: 'string' },
  admin: { type: 'string' },
  'admin-token-file': { type: 'string' },
  class: { type: 'string', default: 'sallyport' },
  namespace: { type: 'string', default: 'sallyport-system' },
  namespaces: { type: 'string' },
  output: { type: 'string', short: 'o', default: 'text' },
} as const;

export type ReviewerFlags = {
  readonly [Flag in Exclude<keyof typeof reviewerOptions, 'class' | 'namespace' | 'output'>]?: string | undefined;
} & { readonly class: string; readonly namespace: string; readonly output: string };

/** Each throws a UsageError where the question is at fault, and an Error where there is no answer. */
export interface AnyReviewer {
  explain(question: unknown): Promise<ExplainAnswer>;
  access(question: unknown): Promise<AccessAnswer>;
}

/** @throws {UsageError} */
export function openReviewer(flags: ReviewerFlags): AnyReviewer {
  const { manifests, kubeconfig, admin, namespaces } = flags;
  if ([manifests, kubeconfig, admin].filter((flag) => flag !== undefined).length > 1) {
    throw new UsageError('--manifests, --kubeconfig and --admin: one of them is asked; give one');
  }
  if (admin !== undefined) {
    const tokenFile = flags['admin-token-file'];
    const target = { url: admin, ...(tokenFile !== undefined && { tokenFile }) };
    return {
      explain: (question) => askAdmin(target, '/explain', question),
      access: (question) => askAdmin(target, '/access', question),
    };
  }
  const local = async () => {
    const served = await readServed({
      ...(manifests !== undefined && { manifests }),
      ...(kubeconfig !== undefined && { kubeconfig }),
      ...(namespaces !== undefined && { namespaces: namespaces.split(',').map((name) => name.trim()) }),
      className: flags.class,
      namespace: flags.namespace,
    });
    return createReviewer({ served: () => served, now: Date.now });
  };
  return {
    explain: async (question) => answerOf((await local()).explain(question)),
    access: async (question) => answerOf((await local()).access(question)),
  };
}

function answerOf<T>(answered: Answered<T>): T {
  if ('ok' in answered) return answered.ok;
  throw answered.failed === 'NotUnderstood' ? new UsageError(answered.message) : new Error(answered.message);
}
