import { profileOf } from '../../scheduler/profile.ts';
import { evenness, type Move, type RebalancePlan } from '../../scheduler/rebalance.ts';
import { strategies, type StrategyName } from '../../scheduler/strategies.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand } from '../command.ts';
import { flag, UsageError } from '../flags.ts';
import type { ClusterView } from '../scheduling/cluster-view.ts';
import { Rebalancer } from '../scheduling/rebalancer.ts';
import { withSession } from '../session.ts';
import { TimedOut } from '../until.ts';

const range = ([least, most]: readonly [number, number], digits: number): string => `${least.toFixed(digits)} to ${most.toFixed(digits)}`;

const useText = ({ cluster }: ClusterView): string => {
  const { percent, pods } = evenness(cluster);
  return `${range(percent, 1)} % of a node is requested, ${range(pods, 0)} pods are on one`;
};

const moveText = ({ pod, from, to }: Move): string => `pod/${pod.pod.metadata.name} -n ${pod.pod.metadata.namespace} from ${from} to ${to}`;

const staysText = ({ immovable }: RebalancePlan): string => [...immovable].sort(([, a], [, b]) => b - a).map(([why, count]) => `  ${count} ${count === 1 ? 'pod' : 'pods'} cannot be moved, as each ${why}\n`).join('');

export const command = defineCommand({
  name: 'rebalance', group: 'Deploy', summary: 'Move pods, one after the other, so that nodes are used more evenly.',
  usage: 'rebalance [--dry-run] [--max-moves=N] [flags]',
  examples: [
    { note: 'What would be done after a node has joined', line: 'rebalance --dry-run' },
    { note: 'Do it, ten pods at the most', line: 'rebalance --max-moves=10' },
  ],
  flags: {
    ...clusterFlags,
    'dry-run': flag.on('Only say what would be moved.'),
    'max-moves': flag.integerOr(5, 'Move no more pods than this.'),
    strategy: flag.oneOf(Object.keys(strategies) as readonly StrategyName[], 'The strategy that the scheduler was started with.', { shownDefault: 'spread' }),
    timeout: flag.durationMs('A replacement must be Ready within this time, or no more pods are moved.', { shownDefault: '5m' }),
  },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags, stdout } = context;
    if (context.args.length > 0) throw new UsageError(`rebalance takes no arguments, got "${context.args[0]}"`);
    const most = flags['max-moves'];
    if (most < 1) throw new UsageError('--max-moves must be 1 or more');
    const rebalancer = new Rebalancer({ session, world: context, profile: profileOf(flags.strategy ?? 'spread'), timeoutMs: flags.timeout ?? 300_000 });
    const first = await rebalancer.plan(flags['dry-run'] ? most : 1);
    stdout.write(`Now ${useText(first.view)}.\n`);
    if (flags['dry-run']) {
      for (const move of first.moves) stdout.write(`Would move ${moveText(move)}.\n`);
      stdout.write(first.moves.length === 0 ? `Nothing would be moved: no move that is allowed makes nodes more even.\n${staysText(first)}`
        : `${first.moves.length} ${first.moves.length === 1 ? 'pod' : 'pods'} would be moved${first.moves.length === most ? ', the most that --max-moves allows' : '; then no move makes nodes more even'}.\n`);
      return 0;
    }
    let moved = 0;
    let plan = first;
    for (let refused = false; moved < most;) {
      const [move] = plan.moves;
      if (move === undefined) {
        stdout.write(`Stopped after ${moved} ${moved === 1 ? 'move' : 'moves'}: no ${refused ? 'other ' : ''}move that is allowed makes nodes more even.\n${staysText(plan)}`);
        return 0;
      }
      try {
        const result = await rebalancer.move(move);
        if (result.outcome === 'refused') {
          refused = true;
          stdout.write(`Not moved: ${moveText(move)}: ${result.why}\n`);
        } else {
          moved++;
          stdout.write(`Moved ${moveText(move)}: ${result.replacement} is Ready on ${result.node}.\n`);
          // The scheduler sees it otherwise, and so would all further moves go.
          if (result.node === move.from) throw new CommandError(`the replacement came to ${move.from} again: is --strategy=${flags.strategy ?? 'spread'} the scheduler's? Stopped after ${moved} ${moved === 1 ? 'move' : 'moves'}`);
        }
      } catch (error) {
        if (!(error instanceof TimedOut)) throw error;
        throw new CommandError(`stopped after ${moved} ${moved === 1 ? 'move' : 'moves'}: ${move.pod.key} was evicted from ${move.from}, and ${error.message}`, { cause: error });
      }
      plan = await rebalancer.plan(1);
    }
    stdout.write(`Stopped after ${moved} ${moved === 1 ? 'move' : 'moves'}, the most that --max-moves allows. Now ${useText(plan.view)}.\n`);
    return 0;
  }),
});
