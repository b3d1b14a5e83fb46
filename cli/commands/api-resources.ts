import { apiVersionOf } from '../../schemas/kind.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { defineCommand } from '../command.ts';
import { qualifiedPlural } from '../discovery.ts';
import { flag } from '../flags.ts';
import { ColumnLayout } from '../print-table.ts';
import { withSession } from '../session.ts';

export const command = defineCommand({
  name: 'api-resources', group: 'Other', summary: 'List the types that the server has.', usage: 'api-resources [flags]',
  flags: {
    ...clusterFlags,
    namespaced: flag.on('Only types with (or =false: without) namespaces.'), 'api-group': flag.text('Only types of this group.', { value: 'GROUP' }),
    categories: flag.commaList('Only types of these categories.'), verbs: flag.commaList('Only types with all of these verbs.'),
    output: flag.oneOf(['wide', 'name'], 'wide: verbs and categories too; name: names only.', { short: 'o' }), 'no-headers': flag.on('Leave the headers out.'),
    'sort-by': flag.oneOf(['name', 'kind'], 'Order of the lines.'),
  },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags, given } = context;
    const found = (await session.discovery()).resources.filter((one) => (!given.has('namespaced') || one.namespaced === flags.namespaced)
      && (!given.has('api-group') || one.group === flags['api-group']) && flags.verbs.every((verb) => one.verbs.includes(verb))
      && flags.categories.every((category) => one.categories.includes(category)) && one.verbs.length > 0);
    const order = flags['sort-by'] ?? 'group';
    const keyOf = (one: (typeof found)[number]): string => (order === 'name' ? one.plural : order === 'kind' ? one.kind : `${one.group}\0${one.plural}`);
    const sorted = [...found].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
    if (flags.output === 'name') {
      context.stdout.write(sorted.map((one) => `${qualifiedPlural(one)}\n`).join(''));
      return 0;
    }
    const wide = flags.output === 'wide';
    const rows = sorted.map((one) => [one.plural, one.shortNames.join(','), apiVersionOf(one), String(one.namespaced), one.kind, ...(wide ? [[...one.verbs].sort().join(','), one.categories.join(',')] : [])]);
    const headers = ['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND', ...(wide ? ['VERBS', 'CATEGORIES'] : [])];
    context.stdout.write(new ColumnLayout().lines(flags['no-headers'] ? rows : [headers, ...rows]));
    return 0;
  }),
});
