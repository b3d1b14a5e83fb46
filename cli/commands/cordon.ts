import { changeEach, changeEachFlags } from '../change-each.ts';
import { defineCommand } from '../command.ts';
import { cordonChange } from '../nodes/cordon.ts';

export const command = defineCommand({
  name: 'cordon', group: 'Cluster', summary: 'Keep new pods off a node.', usage: 'cordon (NODE... | -l SELECTOR) [flags]',
  examples: [{ note: 'No new pods on n2; those that run there stay', line: 'cordon n2' }],
  flags: changeEachFlags,
  run: (context) => changeEach(context, { args: ['nodes', ...context.args], manager: 'kubectl-cordon', change: (node) => cordonChange(node, 'cordon') }),
});
