import type { ApiObject } from '../../schemas/kind.ts';
import { CommandError, defineCommand } from '../command.ts';
import { createGenerated, generatorFlags } from '../create-object.ts';
import { flag, UsageError } from '../flags.ts';

/** The one NAME that a generator takes. */
export const oneName = (args: readonly string[]): string => {
  if (args.length !== 1) throw new UsageError(`exactly one NAME is required, got ${args.length}`);
  return args[0]!;
};

/** An object of a manifest's shape; members that are undefined are left out when it is sent. */
export const manifest = (apiVersion: string, kind: string, name: string, rest: Readonly<Record<string, unknown>> = {}, labels?: Readonly<Record<string, string>>): ApiObject => ({
  apiVersion, kind, metadata: { name, ...(labels === undefined ? {} : { labels }) }, ...rest,
});

export const createNamespace = defineCommand({
  name: 'namespace', group: 'Basic', summary: 'Create a namespace.', usage: 'create namespace NAME [flags]', flags: generatorFlags,
  run: (context) => createGenerated(context, manifest('v1', 'Namespace', oneName(context.args))),
});

export const createServiceAccount = defineCommand({
  name: 'serviceaccount', group: 'Basic', summary: 'Create a service account.', usage: 'create serviceaccount NAME [flags]', flags: generatorFlags,
  run: (context) => createGenerated(context, manifest('v1', 'ServiceAccount', oneName(context.args))),
});

/** Name of a container after its image: `nginx` of `registry:5000/library/nginx:1.25@sha256:...`. */
export const imageName = (image: string): string => {
  const last = image.slice(image.lastIndexOf('/') + 1);
  return last.replace(/[@:].*$/, '').toLowerCase().replace(/[^a-z0-9-]/g, '-').replace(/^-+|-+$/g, '');
};

const containerNames = (images: readonly string[]): readonly string[] => {
  const seen = new Map<string, number>();
  return images.map((image) => {
    const name = imageName(image);
    const before = seen.get(name) ?? 0;
    seen.set(name, before + 1);
    return before === 0 ? name : `${name}-${before + 1}`;
  });
};

export const createDeployment = defineCommand({
  name: 'deployment', group: 'Basic', summary: 'Create a deployment.', usage: 'create deployment NAME --image=IMAGE [flags] [-- COMMAND [ARG...]]',
  examples: [{ note: 'Three replicas that listen on a port', line: 'create deployment web --image=nginx --replicas=3 --port=80' }],
  flags: {
    ...generatorFlags,
    image: flag.commaList('Image of a container; several make several containers.', { value: 'IMAGE' }),
    replicas: flag.integerOr(1, 'Number of pods.', { short: 'r' }),
    port: flag.integer('Port that the container listens on.'),
  },
  run: (context) => {
    const { flags, args, dashAt } = context;
    const name = oneName(args.slice(0, dashAt ?? args.length));
    const command = dashAt === undefined ? [] : args.slice(dashAt);
    if (flags.image.length === 0) throw new CommandError('required flag(s) "image" not set');
    if (command.length > 0 && flags.image.length > 1) throw new CommandError('cannot specify multiple --image options and a command');
    const names = containerNames(flags.image);
    const labels = { app: name };
    return createGenerated(context, manifest('apps/v1', 'Deployment', name, {
      spec: {
        replicas: flags.replicas, selector: { matchLabels: labels }, strategy: {},
        template: {
          metadata: { labels },
          spec: {
            containers: flags.image.map((image, at) => ({
              name: names[at]!, image, resources: {},
              ...(command.length === 0 ? {} : { command }),
              ...(flags.port === undefined ? {} : { ports: [{ containerPort: flags.port }] }),
            })),
          },
        },
      },
    }, labels));
  },
});
