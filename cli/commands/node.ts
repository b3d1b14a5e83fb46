import type { Node } from '../../schemas/kinds/core/node.ts';
import { CommandError, defineCommand, type AnyCommand, type CommandContext, type CommandGroup } from '../command.ts';
import { changeEach, changeEachFlags } from '../change-each.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { usualListen } from '../cluster/servers/server-settings.ts';
import { listenOf } from '../config.ts';
import { flag, UsageError } from '../flags.ts';
import { withManagerStatus } from '../nodes/manager-status.ts';
import { demote } from '../nodes/demote.ts';
import { promote } from '../nodes/promote.ts';
import { withSession } from '../session.ts';
import { command as cordon } from './cordon.ts';
import { command as describe } from './describe.ts';
import { command as drain } from './drain.ts';
import { command as get, getObjects, type GetContext } from './get.ts';
import { command as label } from './label.ts';
import { command as taint } from './taint.ts';
import { command as uncordon } from './uncordon.ts';

const group: CommandGroup = 'Cluster';

/** The general command, for nodes alone. */
const ofNodes = (name: string, summary: string, usage: string, general: AnyCommand): AnyCommand => ({
  ...general, name, group, summary, usage: `node ${usage}`, examples: undefined,
  run: (context: CommandContext) => general.run({ ...context, args: ['nodes', ...context.args], dashAt: context.dashAt === undefined ? undefined : context.dashAt + 1 }),
});

/** The command as it stands below `node`. */
const below = (command: AnyCommand): AnyCommand => ({ ...command, usage: `node ${command.usage}`, examples: undefined });

/** As Swarm's, with who is a server and who leads. */
const ls: AnyCommand = {
  ...ofNodes('ls', 'List nodes, with those that are servers.', 'ls [NODE...] [flags]', get),
  run: (context: GetContext) => getObjects({ ...context, args: ['nodes', ...context.args] }, (session, found) => withManagerStatus(session, found, { nowMs: context.clock.now(), signal: context.signal })),
};

const promoteNodes = defineCommand({
  name: 'promote', group, summary: 'Make workers servers of the cluster.', usage: 'node promote NODE... [flags]',
  description: "The machine, which has joined with 'barge join', gets the cluster's keys and settings, and its process goes on as a server and a node; its pods go on. The objects of the cluster must be in an etcd that it reaches.",
  flags: {
    ...clusterFlags,
    listen: flag.textOr(usualListen, 'Where its API server listens.', { value: 'HOST:PORT' }),
    timeout: flag.durationMs('How long to wait until it is a server; then it is no more to become one.', { shownDefault: '60s' }),
  },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { args, flags: { listen, timeout: timeoutMs = 60_000 }, stdout } = context;
    if (args.length === 0) throw new UsageError('say which: barge node promote NODE...');
    listenOf(listen);
    for (const name of args) {
      await promote(session, context, name, { listen, timeoutMs });
      stdout.write(`node ${name} is a server now\n`);
    }
  }),
});

const demoteNodes = defineCommand({
  name: 'demote', group, summary: 'Make servers of the cluster workers.', usage: 'node demote NODE... [flags]',
  description: "The machine's process goes on as a node alone, which 'barge join' starts from then on; its pods go on, and it removes the cluster's keys. They have been there: 'barge ca rotate' and 'barge ca finish' make them worth nothing. Ask another server than the one that is to go.",
  flags: { ...clusterFlags, timeout: flag.durationMs('How long to wait until it is a worker; then it is no more to become one.', { shownDefault: '60s' }) },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { args, flags: { timeout: timeoutMs = 60_000 }, stdout } = context;
    if (args.length === 0) throw new UsageError('say which: barge node demote NODE...');
    for (const name of args) {
      await demote(session, context, name, { timeoutMs });
      stdout.write(`node ${name} is a worker now\n`);
    }
  }),
});

const isReady = ({ status }: Node): boolean => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;

const rm = defineCommand({
  name: 'rm', group, summary: 'Take a node that is down out of the cluster.', usage: 'node rm (NODE... | -l SELECTOR) [--force] [flags]',
  description: 'Its pods are made anew elsewhere. A node that is Ready is refused: drain it and stop its agent first, for an agent that runs registers its node again. Its name can then join anew.',
  flags: { ...changeEachFlags, force: flag.on('Also a node that is Ready.') },
  run: (context) => changeEach(context, {
    args: ['nodes', ...context.args], manager: 'barge-node',
    change: async (object, { name }, session) => {
      if (isReady(object as Node) && !context.flags.force) throw new CommandError(`node ${name} is Ready: drain it ('barge drain ${name}') and stop its agent, or use --force`);
      if (context.flags['dry-run'] === 'client') return { verb: 'removed' };
      await session.api.send({ group: '', version: 'v1', resource: 'nodes', verb: 'delete', name, options: { preconditions: { uid: object.metadata.uid }, dryRun: context.flags['dry-run'] === 'server' } }, context.signal);
      return { verb: 'removed' };
    },
  }),
});

export const command = defineCommand({
  name: 'node', group, summary: 'List, describe, label, taint, cordon, drain, promote, demote or remove nodes.', usage: 'node (ls | describe | label | taint | cordon | uncordon | drain | promote | demote | rm) [NODE...] [flags]',
  examples: [
    { note: 'All nodes, with addresses and versions', line: 'node ls -o wide' },
    { note: 'Move all pods off a node', line: 'node drain n2' },
    { note: 'Make a worker a server', line: 'node promote n2' },
    { note: 'Forget a machine that is gone', line: 'node rm n2' },
  ],
  flags: {},
  subcommands: {
    ls,
    describe: ofNodes('describe', 'Show what there is to know about nodes, with their pods and events.', 'describe [NODE...] [flags]', describe),
    label: ofNodes('label', 'Set or remove labels of nodes.', 'label NODE... KEY=VALUE... KEY-... [flags]', label),
    taint: ofNodes('taint', 'Set or remove taints of nodes.', 'taint NODE... KEY=VALUE:EFFECT... KEY:EFFECT-... KEY-... [flags]', taint),
    cordon: below(cordon), uncordon: below(uncordon), drain: below(drain), rm, promote: promoteNodes, demote: demoteNodes,
  },
  run: () => Promise.reject(new CommandError('say what to do: ls, describe, label, taint, cordon, uncordon, drain, promote, demote or rm')),
});
