// What travels on the channel: a change, and for how long the record lives on or would have lived on.
import type { RecordType } from '../store.ts';

export interface News {
  readonly change: 'created' | 'replaced' | 'removed';
  readonly type: RecordType;
  readonly id: string;
  /** Relative, so that clocks need not agree. */
  readonly leftMs: number;
  /** Of a record that was removed. */
  readonly life?: string;
}

/** For `removed` without what the script adds: the time left and the life. */
export const writeNews = ({ change, type, id, leftMs }: Omit<News, 'leftMs'> & { readonly leftMs?: number }): string =>
  [change, type, id, ...(leftMs === undefined ? [] : [leftMs])].join(' ');

const pattern = /^(created|replaced|removed) (session|code|notice) ([\w-]{1,64}) (-?\d{1,15})(?: (\S{1,64}))?$/;

/** `undefined`: not ours. */
export function parseNews(text: string): News | undefined {
  const [, change, type, id, left, life] = pattern.exec(text) ?? [];
  if (change === undefined || type === undefined || id === undefined) return undefined;
  return {
    change: change as News['change'],
    type: type as RecordType,
    id,
    leftMs: Number(left),
    ...(life !== undefined && { life }),
  };
}
