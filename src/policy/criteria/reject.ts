// reject: false, whoever asks.
import type { Judge } from '../truth.ts';

export const compileReject = (): Judge => ({ judge: () => 0, reason: () => 'reject', see: () => undefined });
