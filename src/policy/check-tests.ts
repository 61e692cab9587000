// What a schema cannot say of a policy's own tests: one that asks what no request can ask tests nothing.
import type { ClusterPolicySpec, PolicySpec } from '../model/policy-kinds.ts';
import { dataSetContent } from '../model/policy.ts';
import { isAddress } from './address.ts';
import { fault } from './findings.ts';
import type { Finding } from './findings.ts';
import { momentOf } from './wall-clock.ts';

const momentWanted = 'a moment of RFC 3339 is wanted, such as 2026-12-24T18:00:00Z';
const isMoment = (text: string): boolean =>
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})$/.test(text) && momentOf(text, 'UTC') !== undefined;

/** A test that asks what no request can ask would pass or fail for the wrong reason. */
export function checkTests(
  { tests = [], dataSets = [] }: PolicySpec | ClusterPolicySpec,
  needsTime: boolean,
): readonly Finding[] {
  return tests.flatMap(({ as, request, at, data = {} }, index) => {
    const place = ['tests', index];
    const badIp = request?.ip !== undefined && !isAddress(request.ip);
    const badPath = request?.path !== undefined && !/^\/[^?#]*$/.test(request.path);
    const { authenticatedAt, sessionStartedAt } = as ?? {};
    const tellsTime = authenticatedAt !== undefined || sessionStartedAt !== undefined;
    return [
      ...(badIp ? [fault('error', [...place, 'request', 'ip'], 'an address is wanted, such as 192.0.2.1')] : []),
      ...(badPath
        ? [
            fault(
              'error',
              [...place, 'request', 'path'],
              'a path that begins with / is wanted; what follows a ? belongs into query',
            ),
          ]
        : []),
      ...(at === undefined && (needsTime || tellsTime)
        ? [
            fault(
              'error',
              [...place, 'at'],
              `${needsTime ? 'the policy asks for the time' : 'it tells when a person signed in'}, so a test must say when it is: ${momentWanted}`,
            ),
          ]
        : []),
      ...Object.entries({ at, 'as.authenticatedAt': authenticatedAt, 'as.sessionStartedAt': sessionStartedAt })
        .filter(([, text]) => text !== undefined && !isMoment(text))
        .map(([name]) => fault('error', [...place, ...name.split('.')], momentWanted)),
      ...Object.entries(data).flatMap(([name, content]) => {
        const path = [...place, 'data', name];
        if (!dataSets.some((one) => one.name === name)) return [fault('error', path, `there is no data set ${name}`)];
        return dataSetContent.safeParse(content).success
          ? []
          : [fault('error', path, 'a list of texts or a map is wanted')];
      }),
    ];
  });
}
