import { CommandError, defineCommand } from '../command.ts';
import { createGenerated, generatorFlags } from '../create-object.ts';
import { flag } from '../flags.ts';
import { manifest, oneName } from './plain.ts';

interface ServicePortSpec {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly targetPort: number | string;
  readonly nodePort?: number;
}

const portNumber = (text: string, whole: string): number => {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65_535) throw new CommandError(`invalid port "${whole}": write PORT or PORT:TARGET with ports from 1 to 65535`);
  return Number(text);
};

/** `80`, `80:8080` or `80:http`. */
const parsePort = (text: string): ServicePortSpec => {
  const [port = '', target] = text.split(':');
  const number = portNumber(port, text);
  const targetPort = target === undefined ? number : /^\d+$/.test(target) ? portNumber(target, text) : target;
  return { name: text.replace(':', '-'), port: number, protocol: 'TCP', targetPort };
};

const tcpFlag = flag.commaList('PORT or PORT:TARGET; may be given many times.', { value: 'PORT[:TARGET]' });

const service = (type: 'ClusterIP' | 'NodePort' | 'LoadBalancer', word: string, summary: string) => defineCommand({
  name: word, group: 'Basic', summary, usage: `create service ${word} NAME --tcp=PORT[:TARGET] [flags]`,
  flags: {
    ...generatorFlags, tcp: tcpFlag,
    clusterip: flag.text('Address to ask for; None makes a headless service.', { value: 'IP', hidden: type !== 'ClusterIP' }),
    'node-port': flag.integer('Port on every node.', { hidden: type !== 'NodePort' }),
  },
  run: (context) => {
    const { flags } = context;
    const name = oneName(context.args);
    const headless = flags.clusterip === 'None';
    if (flags.tcp.length === 0 && !headless) throw new CommandError('at least one tcp port specifier must be provided');
    const ports = flags.tcp.map((text) => ({ ...parsePort(text), ...(flags['node-port'] === undefined ? {} : { nodePort: flags['node-port'] }) }));
    const labels = { app: name };
    return createGenerated(context, manifest('v1', 'Service', name, {
      spec: { type, selector: labels, ...(ports.length === 0 ? {} : { ports }), ...(flags.clusterip === undefined ? {} : { clusterIP: flags.clusterip }) },
    }, labels));
  },
});

const externalName = defineCommand({
  name: 'externalname', group: 'Basic', summary: 'Create a service that stands for a name outside.', usage: 'create service externalname NAME --external-name=HOST [flags]',
  flags: { ...generatorFlags, tcp: tcpFlag, 'external-name': flag.text('Name outside the cluster.', { value: 'HOST' }) },
  run: (context) => {
    const host = context.flags['external-name'];
    if (host === undefined) throw new CommandError('required flag(s) "external-name" not set');
    const name = oneName(context.args);
    const ports = context.flags.tcp.map(parsePort);
    return createGenerated(context, manifest('v1', 'Service', name, { spec: { type: 'ExternalName', externalName: host, selector: { app: name }, ...(ports.length === 0 ? {} : { ports }) } }, { app: name }));
  },
});

export const createService = defineCommand({
  name: 'service', group: 'Basic', summary: 'Create a service.', usage: 'create service (clusterip | nodeport | loadbalancer | externalname) NAME [flags]', flags: {},
  subcommands: {
    clusterip: service('ClusterIP', 'clusterip', 'Create a service with an address inside the cluster.'),
    nodeport: service('NodePort', 'nodeport', 'Create a service with a port on every node.'),
    loadbalancer: service('LoadBalancer', 'loadbalancer', 'Create a service of type LoadBalancer.'),
    externalname: externalName,
  },
  run: () => Promise.reject(new CommandError('say which sort of service: clusterip, nodeport, loadbalancer or externalname')),
});
