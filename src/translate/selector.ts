// Label selectors, as the API server means them.
import { metadataEntry } from './parse.ts';
import type { LabelSelector } from '../model/selector.ts';
import type { KubernetesObject } from '../model/objects.ts';

/** Whether an object's labels are what a selector asks for; an empty selector asks for nothing. */
export function selects(selector: LabelSelector, object: KubernetesObject): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => metadataEntry(object, 'labels', key) === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = metadataEntry(object, 'labels', key);
      const isListed = values.some((one) => one === value);
      switch (operator) {
        case 'In':
          return isListed;
        case 'NotIn':
          return !isListed;
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
      }
    })
  );
}

/** Whether a selector can be judged without knowing any label. */
export function selectsAll({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}
