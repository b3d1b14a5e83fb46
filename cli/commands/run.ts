import { CommandError, defineCommand } from '../command.ts';
import { createGenerated, generatorFlags } from '../create-object.ts';
import { flag } from '../flags.ts';
import { manifest, oneName } from '../generators/plain.ts';

const keyValues = (texts: readonly string[], flagName: string): readonly (readonly [string, string])[] => texts.map((text) => {
  const equals = text.indexOf('=');
  if (equals < 1) throw new CommandError(`invalid ${flagName}: ${text}: write NAME=VALUE`);
  return [text.slice(0, equals), text.slice(equals + 1)];
});

export const command = defineCommand({
  name: 'run', group: 'Basic', summary: 'Run one pod of an image.', usage: 'run NAME --image=IMAGE [flags] [-- ARG...]',
  examples: [
    { note: 'A pod', line: 'run web --image=nginx --port=80' },
    { note: 'A command of the image, once', line: 'run once --image=busybox --restart=Never -- echo hello' },
  ],
  flags: {
    ...generatorFlags,
    image: flag.text('Image of the container.', { value: 'IMAGE' }), 'image-pull-policy': flag.oneOf(['Always', 'IfNotPresent', 'Never'], 'When to pull the image.'),
    port: flag.integer('Port that the container listens on.'), env: flag.list('NAME=VALUE of the environment.', { value: 'NAME=VALUE' }),
    labels: flag.commaList('NAME=VALUE labels of the pod.', { short: 'l', value: 'NAME=VALUE,...' }), annotations: flag.list('NAME=VALUE annotation of the pod.', { value: 'NAME=VALUE' }),
    restart: flag.oneOf(['Always', 'OnFailure', 'Never'], 'When the container is started again.', { initial: 'Always' }),
    command: flag.on('What stands after -- is the command, not its arguments.'), privileged: flag.on('Run with all rights on the node.'),
    stdin: flag.on('Keep the standard input of the container open.', { short: 'i' }), tty: flag.on('Give the container a terminal.', { short: 't' }),
  },
  run: (context) => {
    const { flags, args, dashAt } = context;
    const name = oneName(args.slice(0, dashAt ?? 1));
    const words = args.slice(dashAt ?? 1);
    if (flags.image === undefined || flags.image === '') throw new CommandError('required flag(s) "image" not set');
    if (flags.command && words.length === 0) throw new CommandError('--command needs a command after --');
    const labels = flags.labels.length === 0 ? { run: name } : Object.fromEntries(keyValues(flags.labels, '--labels'));
    const pod = manifest('v1', 'Pod', name, {
      spec: {
        containers: [{
          name, image: flags.image, resources: {},
          ...(words.length === 0 ? {} : flags.command ? { command: words } : { args: words }),
          ...(flags.env.length === 0 ? {} : { env: keyValues(flags.env, '--env').map(([key, value]) => ({ name: key, value })) }),
          ...(flags.port === undefined ? {} : { ports: [{ containerPort: flags.port }] }),
          ...(flags['image-pull-policy'] === undefined ? {} : { imagePullPolicy: flags['image-pull-policy'] }),
          ...(flags.privileged ? { securityContext: { privileged: true } } : {}),
          ...(flags.stdin ? { stdin: true, stdinOnce: true } : {}), ...(flags.tty ? { tty: true } : {}),
        }],
        dnsPolicy: 'ClusterFirst', restartPolicy: flags.restart,
      },
    }, labels);
    const annotations = Object.fromEntries(keyValues(flags.annotations, '--annotations'));
    return createGenerated(context, flags.annotations.length === 0 ? pod : { ...pod, metadata: { ...pod.metadata, annotations } }, 'kubectl-run');
  },
});
