// One thing found wrong in a policy's spec, before it is a Diagnostic.
import type { Diagnostic, DiagnosticCode } from '../model/diagnostic.ts';
import type { Path } from './placed.ts';

export interface Finding {
  readonly severity: Diagnostic['severity'];
  readonly path: Path;
  readonly message: string;
  readonly code?: DiagnosticCode;
}

export function fault(severity: Diagnostic['severity'], path: Path, message: string, code?: DiagnosticCode): Finding {
  return { severity, path, message, ...(code && { code }) };
}
