// accept and reject: true and false, whoever asks.
import { holds } from '../truth.ts';
import type { Judge } from '../truth.ts';

export const compileAccept = (): Judge => ({ judge: () => holds, reason: () => 'accept', see: () => undefined });

export const compileReject = (): Judge => ({ judge: () => 0, reason: () => 'reject', see: () => undefined });
