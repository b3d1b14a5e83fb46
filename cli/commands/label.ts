import { changeEach, changeEachFlags } from '../change-each.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../flags.ts';
import { keyValuePatch, previewKeyValues, splitKeyValues } from '../key-value-changes.ts';

export const command = defineCommand({
  name: 'label', group: 'Advanced', summary: 'Set or remove labels.',
  usage: 'label (TYPE NAME... | TYPE/NAME... | TYPE -l SELECTOR | -f FILE) KEY=VALUE... KEY-... [flags]',
  examples: [
    { note: 'Set a label', line: 'label pod web-1 tier=front' },
    { note: 'Change one that is there', line: 'label pod web-1 tier=back --overwrite' },
    { note: 'Remove it', line: 'label pod web-1 tier-' },
  ],
  flags: { ...changeEachFlags, overwrite: flag.on('Allow to change labels that exist.'), list: flag.on('Print the labels instead.') },
  run: async (context) => {
    const { flags } = context;
    if (flags.list) {
      return changeEach(context, { args: context.args, manager: 'kubectl-label', change: (object) => ({
        verb: Object.entries(object.metadata.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `\n  ${key}=${value}`).join(''),
      }) });
    }
    const { resources, changes } = splitKeyValues(context.args, 'label');
    return changeEach(context, {
      args: resources, manager: 'kubectl-label',
      change: (object) => {
        const patch = keyValuePatch(object, 'labels', changes, flags.overwrite);
        if (patch === undefined) return { verb: 'not labeled' };
        const verb = Object.values(patch).every((value) => value === null) ? 'unlabeled' : 'labeled';
        return { verb, patch: { type: 'merge', body: { metadata: { labels: patch } } }, preview: previewKeyValues(object, 'labels', patch) };
      },
    });
  },
});
