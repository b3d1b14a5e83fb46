import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand } from '../command.ts';
import { flag } from '../flags.ts';
import { chooseContainer, defaultedLine, onePod } from '../pods-of.ts';
import { withSession } from '../session.ts';
import { withTerminal } from '../terminal.ts';

export const command = defineCommand({
  name: 'attach', group: 'Debug', summary: 'Join the main process of a container.',
  usage: 'attach (POD | TYPE/NAME) [-c CONTAINER] [flags]',
  flags: {
    ...clusterFlags,
    stdin: flag.on('Pass standard input to the container.', { short: 'i' }),
    tty: flag.on('Standard input is a terminal.', { short: 't' }),
    container: flag.text('Container; the first one where absent.', { short: 'c', value: 'NAME' }),
    quiet: flag.on('Print only what the container prints.', { short: 'q' }),
  },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags, args } = context;
    const [word, ...more] = args;
    if (word === undefined || more.length > 0) throw new CommandError('one pod or type/name must be specified');
    const { pod } = await onePod(session, word, context.signal);
    const container = chooseContainer(pod, flags.container);
    if (container.isDefault && !flags.quiet) context.stderr.write(defaultedLine(pod, container.name));
    const spec = pod.spec?.containers?.find(({ name }) => name === container.name);
    if (flags.tty && spec?.tty !== true) context.stderr.write(`Unable to use a TTY - container ${container.name} did not allocate one\n`);
    if (!flags.quiet && flags.stdin) context.stderr.write("If you don't see a command prompt, try pressing enter.\n");
    const streams = await session.streams();
    const key = { namespace: pod.metadata.namespace, name: pod.metadata.name ?? '' };
    return withTerminal(context, { stdin: flags.stdin, tty: flags.tty && spec?.tty === true }, (ends) => streams.attach(key, { ...ends, container: container.name }, context.signal));
  }),
});
