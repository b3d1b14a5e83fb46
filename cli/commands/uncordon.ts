import { changeEach, changeEachFlags } from '../change-each.ts';
import { defineCommand } from '../command.ts';
import { cordonChange } from '../nodes/cordon.ts';

export const command = defineCommand({
  name: 'uncordon', group: 'Cluster', summary: 'Let new pods on a node again.', usage: 'uncordon (NODE... | -l SELECTOR) [flags]',
  examples: [{ note: 'New pods may run on n2 again', line: 'uncordon n2' }],
  flags: changeEachFlags,
  run: (context) => changeEach(context, { args: ['nodes', ...context.args], manager: 'kubectl-uncordon', change: (node) => cordonChange(node, 'uncordon') }),
});
