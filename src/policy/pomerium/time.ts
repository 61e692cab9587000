// Pomerium Enterprise's way of writing days and times of day, as its documentation has it (content/docs/internals/ppl.mdx).

const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;

/** `*`, `mon,wed,fri`, `mon-fri`, `Monday`; undefined for anything else. A range that runs backwards is not documented. */
export function weekdaysOf(text: string): readonly string[] | undefined {
  if (text.trim() === '*') return weekdays;
  const wanted = new Set<number>();
  for (const part of text.split(',')) {
    const [from = -1, until = from, ...more] = part.split('-').map(weekdayIndex);
    if (from < 0 || until < from || more.length > 0) return undefined;
    for (let index = from; index <= until; index += 1) wanted.add(index);
  }
  return weekdays.filter((_, index) => wanted.has(index));
}

function weekdayIndex(text: string): number {
  const name = text.trim().toLowerCase();
  return weekdays.findIndex((day) => day.toLowerCase() === name || day.toLowerCase().slice(0, 3) === name);
}

/** `3:04 PM`, `3PM`, `15:04`, `15:04:05` as `HH:MM` or `HH:MM:SS`; undefined for anything else, fractions of a second too. */
export function clockTimeOf(text: string): string | undefined {
  const [, hour = '', minute = '00', second, half] =
    /^([0-9]{1,2})(?::([0-9]{2}))?(?::([0-9]{2}))? ?([AP]M)?$/.exec(text) ?? [];
  const isBare = !text.includes(':') && half === undefined;
  if (hour === '' || isBare || (second !== undefined && half !== undefined)) return undefined;
  if (half !== undefined && (Number(hour) < 1 || Number(hour) > 12)) return undefined;
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (half === 'PM' ? 12 : 0);
  if (hours > 23 || Number(minute) > 59 || Number(second ?? 0) > 59) return undefined;
  const clock = `${String(hours).padStart(2, '0')}:${minute}`;
  return second === undefined ? clock : `${clock}:${second}`;
}
