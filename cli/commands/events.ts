import type { BodyOf } from '../../schemas/kind.ts';
import type { Event } from '../../schemas/kinds/core/event.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand } from '../command.ts';
import { ageCell, bySeen } from '../describe/events.ts';
import { flag } from '../flags.ts';
import { formatObject, outputFlags, parseOutput, printable } from '../output.ts';
import { ColumnLayout } from '../print-table.ts';
import { parseTargets } from '../resource-args.ts';
import { at } from '../selection.ts';
import { withSession } from '../session.ts';

type EventBody = BodyOf<typeof Event>;

export const command = defineCommand({
  name: 'events', group: 'Debug', summary: 'List what happened lately, in order.', usage: 'events [--for TYPE/NAME] [-w] [flags]',
  examples: [{ note: 'What happened to a pod', line: 'events --for pod/web-1' }],
  flags: {
    ...clusterFlags, ...outputFlags, 'all-namespaces': flag.on('Events of all namespaces.', { short: 'A' }),
    for: flag.text('Only events about this object.', { value: 'TYPE/NAME' }), watch: flag.on('Go on with new events.', { short: 'w' }),
    types: flag.commaList('Only events of these types: Normal, Warning.'), 'no-headers': flag.on('Leave the headers out.'),
  },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags, signal, stdout } = context;
    const types = flags.types.map((type) => type.toLowerCase());
    const wrong = types.find((type) => type !== 'normal' && type !== 'warning');
    if (wrong !== undefined) throw new CommandError('valid --types are Normal or Warning');
    const discovery = await session.discovery();
    const [about] = flags.for === undefined ? [] : parseTargets([flags.for], discovery);
    if (flags.for !== undefined && about?.name === undefined) throw new CommandError('--for must be in resource/name form');
    const format = await parseOutput(flags.output, () => Promise.reject(new CommandError('this output format is not supported here')));
    const place = at(discovery.named('events'), flags['all-namespaces'] ? undefined : session.namespace);
    const fieldSelector = about === undefined ? undefined : `involvedObject.kind=${about.resource.kind},involvedObject.name=${about.name}`;
    const list = await session.api.list(place, { fieldSelector }, signal);
    const wanted = (event: EventBody): boolean => types.length === 0 || types.includes((event.type ?? '').toLowerCase());
    const found = (list.items as readonly EventBody[]).filter(wanted).sort(bySeen);
    if (format.type === 'json' || format.type === 'yaml' || format.type === 'jsonpath') {
      stdout.write(formatObject(format, printable(found, { single: false, managedFields: flags['show-managed-fields'] })));
      return 0;
    }
    const layout = new ColumnLayout();
    const cells = (event: EventBody): readonly string[] => [
      ...(flags['all-namespaces'] ? [event.metadata.namespace ?? ''] : []),
      ageCell(event, context.clock.now()), event.type ?? '', event.reason ?? '', `${event.involvedObject.kind ?? ''}/${event.involvedObject.name ?? ''}`, (event.message ?? '').trim().split('\n')[0]!,
    ];
    const header = [...(flags['all-namespaces'] ? ['NAMESPACE'] : []), 'LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'];
    if (found.length === 0 && !flags.watch) {
      context.stderr.write(flags['all-namespaces'] ? 'No events found.\n' : `No events found in ${session.namespace} namespace.\n`);
      return 0;
    }
    stdout.write(layout.lines([...(flags['no-headers'] ? [] : [header]), ...found.map(cells)]));
    if (!flags.watch) return 0;
    for await (const event of session.api.watch({ ...place, verb: 'watch', options: { fieldSelector, resourceVersion: list.resourceVersion } }, { table: false, signal })) {
      if (event.type !== 'BOOKMARK' && event.type !== 'DELETED' && wanted(event.object as EventBody)) stdout.write(layout.lines([cells(event.object as EventBody)]));
    }
    return 0;
  }),
});
