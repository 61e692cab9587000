// Which Secrets and ConfigMaps a translation referred to, put together from what each part of it noted.
import type { Round } from './outcome.ts';
import type { Memory } from './translate.ts';
import type { Notes } from './world.ts';
import type { References } from '../model/objects.ts';

/** The same object again where nothing that was read anew refers to anything else than before. */
export function referencesOf(clusterNotes: Notes, round: Round, known: Memory | undefined): References {
  const { changed, claims, namespaces, settled } = round;
  const isSame =
    known !== undefined &&
    refersAlike(clusterNotes, known.clusterNotes) &&
    changed.values().every((name) => refersAlike(namespaces.get(name)?.notes, known.namespaces.get(name)?.notes)) &&
    claims.keys().every((host) => refersAlike(settled.states.get(host)?.notes, known.settled.states.get(host)?.notes));
  if (isSame) return known.references;
  const secrets = new Set(clusterNotes.secrets);
  const configMaps = new Set(clusterNotes.configMaps);
  for (const parts of [namespaces.values(), settled.states.values()]) {
    for (const { notes } of parts) {
      for (const key of notes.secrets) secrets.add(key);
      for (const key of notes.configMaps) configMaps.add(key);
    }
  }
  return { secrets, configMaps };
}

const none: readonly string[] = [];

function refersAlike(one: Notes | undefined, other: Notes | undefined): boolean {
  if (one === other) return true;
  return (['secrets', 'configMaps'] as const).every((kind) => {
    const [keys, others] = [one?.[kind] ?? none, other?.[kind] ?? none];
    return keys.length === others.length && keys.every((key, index) => key === others[index]);
  });
}
