// Diagnostics as a person reads them: one line each, with the place in the file where there is one.
import { describeReference } from '../model/diagnostic.ts';
import type { Diagnostic, ObjectReference } from '../model/diagnostic.ts';
import type { Logger } from '../telemetry.ts';

export type Locate = (
  object: ObjectReference,
  path: string,
) => { readonly file: string; readonly line: number } | undefined;

/** `apps.yaml:12: error: Ingress demo/app: spec.rules[0].host: … (HostInvalid)` */
export function describeDiagnostic(diagnostic: Diagnostic, locate?: Locate): string {
  const { severity, object, path, message, code } = diagnostic;
  const place = locate?.(object, path);
  const where = place === undefined ? '' : `${place.file}:${place.line}: `;
  return `${where}${severity}: ${describeReference(object)}: ${path === '' ? '' : `${path}: `}${message} (${code})`;
}

/** Logs each diagnostic once when it appears, and once when it is gone. */
export function createDiagnosticLog(log: Logger, locate?: Locate): (diagnostics: readonly Diagnostic[]) => void {
  let known = new Map<string, Diagnostic>();
  return (diagnostics) => {
    const current = new Map(diagnostics.map((one) => [describeDiagnostic(one), one]));
    for (const [text, one] of current) {
      if (known.has(text)) continue;
      const { code, severity, object, path } = one;
      log[severity === 'error' ? 'error' : 'warn'](
        { code, object: describeReference(object), path },
        describeDiagnostic(one, locate),
      );
    }
    for (const text of known.keys()) if (!current.has(text)) log.info(`mended: ${text}`);
    known = current;
  };
}
