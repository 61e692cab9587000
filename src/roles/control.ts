// The control role's side of the lines: what it last told the proxies, and what they must hear to know what is now.
import { emptyTable, tableUpdate } from '../model/route.ts';
import type { Certificate, HostRoutes, RouteTable } from '../model/route.ts';
import type { AuthoritySettings, ClassSettings } from '../model/settings.ts';
import type { Keeper } from './keeper.ts';
import type { Link, SettingsMessage, TableMessage } from './messages.ts';

/** What a translation decided, for the other roles. */
export interface Published {
  readonly settings: ClassSettings;
  readonly hosts: ReadonlyMap<string, HostRoutes>;
  readonly defaultCertificate?: Certificate;
  readonly authority: AuthoritySettings;
}

export interface Control {
  /** Tells `auth` its settings, and the proxies which hosts changed. */
  publish(published: Published): void;
  readonly table: RouteTable;
}

export function createControl(
  toProxy: Link<TableMessage, never>,
  toAuth: Link<SettingsMessage, never>,
  keeper?: Pick<Keeper, 'use'>,
): Control {
  let table: RouteTable | undefined;
  return {
    get table() {
      assertPublished(table);
      return table;
    },
    publish({ settings, hosts, defaultCertificate, authority }) {
      const before = table ?? emptyTable(settings);
      table = {
        generation: before.generation + 1,
        settings,
        hosts,
        ...(defaultCertificate && { defaultCertificate }),
      };
      // The store that `auth` is about to hear of, `auth`, the proxies: a proxy may ask about a provider as soon as it knows of a route that names it.
      keeper?.use(authority.store);
      toAuth.send({ type: 'settings', settings: authority });
      toProxy.send({ type: 'table', update: tableUpdate(before, table) });
    },
  };
}

function assertPublished(table: RouteTable | undefined): asserts table is RouteTable {
  if (table === undefined) throw new Error('no table has been published yet');
}
