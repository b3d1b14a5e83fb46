import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand } from '../command.ts';
import { flag } from '../flags.ts';
import { chooseContainer, defaultedLine, onePod } from '../pods-of.ts';
import { withSession } from '../session.ts';
import { withTerminal } from '../terminal.ts';

export const command = defineCommand({
  name: 'exec', group: 'Debug', summary: 'Run a command in a container.',
  usage: 'exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [ARG...]',
  examples: [
    { note: 'One command', line: 'exec web-1 -- date' },
    { note: 'A shell', line: 'exec -it web-1 -- sh' },
    { note: 'In one of the pods of a deployment', line: 'exec deploy/web -- ls /' },
  ],
  flags: {
    ...clusterFlags,
    stdin: flag.on('Pass standard input to the command.', { short: 'i' }),
    tty: flag.on('Standard input is a terminal.', { short: 't' }),
    container: flag.text('Container; the first one where absent.', { short: 'c', value: 'NAME' }),
    quiet: flag.on('Print only what the command prints.', { short: 'q' }),
  },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags, args, dashAt } = context;
    const [pod] = args;
    if (pod === undefined || dashAt === 0) throw new CommandError('pod, type/name or --filename must be specified');
    if (dashAt === undefined && args.length > 1) throw new CommandError('exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead');
    const words = dashAt === undefined ? [] : args.slice(dashAt);
    if (words.length === 0) throw new CommandError('you must specify at least one command for the container');
    const { pod: found } = await onePod(session, pod, context.signal);
    if (found.status?.phase === 'Succeeded' || found.status?.phase === 'Failed') throw new CommandError(`cannot exec into a container in a completed pod; current phase is ${found.status.phase}`);
    const container = chooseContainer(found, flags.container);
    if (container.isDefault && !flags.quiet) {
      context.stderr.write(defaultedLine(found, container.name));
    }
    const streams = await session.streams();
    const key = { namespace: found.metadata.namespace, name: found.metadata.name ?? '' };
    const code = await withTerminal(context, { stdin: flags.stdin, tty: flags.tty }, (ends) => streams.exec(key, words, { ...ends, container: container.name }, context.signal));
    if (code !== 0) context.stderr.write(`command terminated with exit code ${code}\n`);
    return code;
  }),
});
