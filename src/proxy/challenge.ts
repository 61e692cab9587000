// A question of an ACME server (RFC 8555, section 8.3): handed to the solver with nothing in it that could belong to a person.
import type { Solver } from '../model/route.ts';
import type { Exchange } from './exchange.ts';
import { forward } from './forward.ts';
import type { ForwardOutcome } from './forward.ts';
import type { Gate } from './handle.ts';
import { pairs, requestHeaders } from './headers.ts';
import type { CanonicalRequest } from './request.ts';

/** No cookie, no token: an applicant for a certificate may be anybody, where nobody owns the host yet. */
const passed: ReadonlySet<string> = new Set(['accept', 'user-agent']);

export function answerChallenge(
  { balancer, connections, track }: Gate,
  exchange: Exchange,
  asked: CanonicalRequest,
  { upstream }: Solver,
): Promise<ForwardOutcome> {
  const { request, table, id: requestId } = exchange;
  const rawHeaders = [...pairs(request.rawHeaders)].filter(([name]) => passed.has(name.toLowerCase())).flat();
  const headers = requestHeaders({ asked, rawHeaders, requestId, settings: table.settings });
  return forward({ exchange, asked, upstream, headers, balancer, connections, track });
}
