import type { ApiObject } from '../../schemas/kind.ts';
import { CommandError, defineCommand } from '../command.ts';
import { createGenerated, generatorFlags } from '../create-object.ts';
import { flag } from '../flags.ts';
import { placeOf, select } from '../selection.ts';
import { withSession } from '../session.ts';

interface Exposable extends ApiObject {
  readonly spec?: {
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> } & Readonly<Record<string, unknown>>;
    readonly template?: { readonly spec?: PodPorts };
  } & PodPorts;
}

interface PodPorts {
  readonly containers?: readonly { readonly ports?: readonly { readonly containerPort: number; readonly protocol?: string }[] }[];
  readonly ports?: readonly { readonly port: number; readonly protocol?: string }[];
}

/** The labels by which a service finds the pods of an object. */
const selectorOf = ({ kind, metadata, spec }: Exposable): Readonly<Record<string, string>> => {
  const selector = kind === 'Pod' ? metadata.labels : kind === 'Service' ? spec?.selector as Readonly<Record<string, string>> | undefined : spec?.selector?.matchLabels;
  if (selector === undefined || Object.keys(selector).length === 0) throw new CommandError(`couldn't retrieve selectors of ${kind} ${metadata.name}: it has no labels to select by`);
  return selector;
};

const portsOf = ({ spec }: Exposable): readonly { readonly port: number; readonly protocol: string }[] => {
  const containers = spec?.template?.spec?.containers ?? spec?.containers ?? [];
  const declared = spec?.ports?.map(({ port, protocol = 'TCP' }) => ({ port, protocol }));
  return declared ?? containers.flatMap(({ ports = [] }) => ports.map(({ containerPort, protocol = 'TCP' }) => ({ port: containerPort, protocol })));
};

export const command = defineCommand({
  name: 'expose', group: 'Basic', summary: 'Make a service for the pods of an object.', usage: 'expose (TYPE NAME | TYPE/NAME) [--port=PORT] [--target-port=PORT] [flags]',
  examples: [{ note: 'A deployment on port 80', line: 'expose deployment web --port=80 --target-port=8080' }],
  flags: {
    ...generatorFlags, port: flag.text('Port of the service; those of the containers where absent.', { value: 'PORT' }), 'target-port': flag.text('Port of the container.', { value: 'PORT' }),
    protocol: flag.oneOf(['TCP', 'UDP', 'SCTP'], 'Protocol of the port.'), name: flag.text('Name of the service.', { value: 'NAME' }),
    type: flag.oneOf(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'], 'Type of the service.'), selector: flag.text('Labels to select by, as a=b,c=d.', { value: 'LABELS' }),
    labels: flag.text('Labels of the service, as a=b,c=d.', { short: 'l', value: 'LABELS' }), 'cluster-ip': flag.text('Address to ask for; None makes a headless service.', { value: 'IP' }),
    'session-affinity': flag.oneOf(['None', 'ClientIP'], 'Send a client always to the same pod.'),
  },
  run: async (context) => {
    const { flags } = context;
    const labelsIn = (text: string): Readonly<Record<string, string>> => Object.fromEntries(text.split(',').map((part) => {
      const [key = '', value = ''] = part.split('=');
      if (!part.includes('=') || key === '') throw new CommandError(`unexpected label spec: ${part}: write NAME=VALUE`);
      return [key, value];
    }));
    const objects = await withSession(flags, context, async (session) =>
      Promise.all((await select(session, context, { args: context.args })).map(async (selected) => await session.api.get(placeOf(selected), context.signal) as Exposable)));
    let code = 0;
    for (const object of objects) {
      const number = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);
      const given = flags.port === undefined ? portsOf(object) : flags.port.split(',').map((port) => ({ port: Number(port), protocol: flags.protocol ?? 'TCP' }));
      if (given.length === 0 && flags['cluster-ip'] !== 'None') throw new CommandError("couldn't find port via --port flag or introspection");
      if (given.some(({ port }) => !Number.isInteger(port))) throw new CommandError(`--port: "${flags.port}" is no port number`);
      const ports = given.map(({ port, protocol }, index) => ({
        ...(given.length > 1 ? { name: `port-${index + 1}` } : {}), port, protocol, targetPort: flags['target-port'] === undefined ? port : number(flags['target-port']),
      }));
      const labels = flags.labels === undefined ? object.metadata.labels : labelsIn(flags.labels);
      const service = {
        apiVersion: 'v1', kind: 'Service', metadata: { name: flags.name ?? object.metadata.name ?? '', namespace: object.metadata.namespace, ...(labels === undefined ? {} : { labels }) },
        spec: {
          selector: flags.selector === undefined ? selectorOf(object) : labelsIn(flags.selector), ports,
          ...(flags.type === undefined ? {} : { type: flags.type }), ...(flags['cluster-ip'] === undefined ? {} : { clusterIP: flags['cluster-ip'] }),
          ...(flags['session-affinity'] === undefined ? {} : { sessionAffinity: flags['session-affinity'] }),
        },
      };
      code ||= await createGenerated(context, service as unknown as ApiObject, 'kubectl-expose');
    }
    return code;
  },
});
