import type { Node } from '../../schemas/kinds/core/node.ts';
import { changeEach, changeEachFlags } from '../change-each.ts';
import { CommandError, defineCommand } from '../command.ts';
import { flag } from '../flags.ts';
import { changedTaints, splitTaints } from '../nodes/taints.ts';

export const command = defineCommand({
  name: 'taint', group: 'Cluster', summary: 'Set or remove taints, which keep pods off a node that do not tolerate them.',
  usage: 'taint nodes (NAME... | -l SELECTOR | --all) KEY=VALUE:EFFECT... KEY:EFFECT-... KEY-... [flags]',
  examples: [
    { note: 'Only pods that tolerate it come here', line: 'taint nodes n2 gpu=yes:NoSchedule' },
    { note: 'Remove it', line: 'taint nodes n2 gpu:NoSchedule-' },
    { note: 'Remove all taints of a key', line: 'taint nodes n2 gpu-' },
  ],
  flags: { ...changeEachFlags, overwrite: flag.on('Allow to change taints that exist.') },
  run: (context) => {
    const { names: [type, ...names], changes } = splitTaints(context.args);
    if (type === undefined || !['node', 'nodes', 'no'].includes(type)) throw new CommandError(`only nodes have taints, not "${type ?? ''}": write 'taint nodes NAME ...'`);
    return changeEach(context, {
      args: ['nodes', ...names], manager: 'kubectl-taint',
      change: (node) => {
        const { name = '', resourceVersion } = node.metadata;
        const { taints, verb } = changedTaints(name, (node as Node).spec?.taints ?? [], changes, context.flags.overwrite);
        // The whole list is written: somebody else's taint of the meantime must not be lost.
        return { verb, patch: { type: 'merge', body: { metadata: { resourceVersion }, spec: { taints: taints.length === 0 ? null : taints } } }, preview: { ...node, spec: { ...(node as Node).spec, taints } } as Node };
      },
    });
  },
});
