// The way from `auth` to what the API server says of workloads' tokens: it has no credential for it, and asks `control`.
import { AuthorityError } from '../auth/authority.ts';
import type { Cluster } from '../auth/bearer/workloads.ts';
import type { Logger } from '../telemetry.ts';
import type { ClusterQuestion, ClusterReply, Link } from './messages.ts';
import { createQuestions } from './questions.ts';

// The API server has five seconds.
const deadlineMs = 7_000;
const maxOutstanding = 100;

export function askCluster(link: Link<ClusterQuestion, ClusterReply>): Cluster {
  const questions = createQuestions<ClusterQuestion, ClusterReply>(link.send, {
    deadlineMs,
    max: maxOutstanding,
    unavailable: (message) => new AuthorityError(message),
    whom: 'control',
  });
  link.onMessage((reply) => questions.answered(reply));
  return {
    async issuer() {
      const reply = await questions.ask({ type: 'issuer' });
      if (reply.type === 'issuer') return reply.issuer;
      throw failure(reply);
    },
    async review(token, audience) {
      const reply = await questions.ask({ type: 'review', token, audience });
      if (reply.type === 'reviewed') return reply.reviewed;
      throw failure(reply);
    },
  };
}

function failure(reply: ClusterReply): Error {
  if (reply.type === 'failed') return new AuthorityError(reply.message);
  return new Error(`control answered ${reply.type} to another question`);
}

/** What went wrong is told of once in this time, however many ask. */
const tellAgainMs = 10_000;

export function answerForCluster(link: Link<ClusterReply, ClusterQuestion>, cluster: Cluster, log: Logger): void {
  let toldAt = -Infinity;
  async function answer(question: ClusterQuestion): Promise<ClusterReply> {
    const { ask } = question;
    try {
      if (question.type === 'issuer') return { type: 'issuer', ask, issuer: await cluster.issuer() };
      return { type: 'reviewed', ask, reviewed: await cluster.review(question.token, question.audience) };
    } catch (error) {
      if (performance.now() - toldAt > tellAgainMs) log.warn({ err: error }, "workloads' tokens cannot be judged");
      toldAt = performance.now();
      return { type: 'failed', ask, message: 'the API server does not say whether a token counts' };
    }
  }
  link.onMessage((question) => void answer(question).then(link.send));
}
