// What a person can do on a page of ours: links and buttons.

export interface Action {
  readonly label: string;
  readonly url: string;
  readonly method: 'get' | 'post';
  /** What a form carries. */
  readonly fields?: Readonly<Record<string, string>>;
  /** For who hears the button by itself: which one of several it is. */
  readonly of?: string;
}

export const link = (label: string, url: string): Action => ({ label, url, method: 'get' });
export const button = (label: string, url: string, more: Pick<Action, 'fields' | 'of'> = {}): Action => ({
  label,
  url,
  method: 'post',
  ...more,
});
