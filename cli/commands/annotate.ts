import { changeEach, changeEachFlags } from '../change-each.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../flags.ts';
import { keyValuePatch, previewKeyValues, splitKeyValues } from '../key-value-changes.ts';

export const command = defineCommand({
  name: 'annotate', group: 'Advanced', summary: 'Set or remove annotations.',
  usage: 'annotate (TYPE NAME... | TYPE/NAME... | TYPE -l SELECTOR | -f FILE) KEY=VALUE... KEY-... [flags]',
  examples: [{ note: 'Say why a deployment was changed', line: "annotate deployment web kubernetes.io/change-cause='new image'" }],
  flags: { ...changeEachFlags, overwrite: flag.on('Allow to change annotations that exist.') },
  run: async (context) => {
    const { resources, changes } = splitKeyValues(context.args, 'annotation');
    return changeEach(context, {
      args: resources, manager: 'kubectl-annotate',
      change: (object) => {
        const patch = keyValuePatch(object, 'annotations', changes, context.flags.overwrite);
        if (patch === undefined) return { verb: 'annotated' };
        return { verb: 'annotated', patch: { type: 'merge', body: { metadata: { annotations: patch } } }, preview: previewKeyValues(object, 'annotations', patch) };
      },
    });
  },
});
