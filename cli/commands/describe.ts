import type { ApiObject } from '../../schemas/kind.ts';
import { isReason } from '../../schemas/errors.ts';
import { clusterFlags } from '../cluster-flags.ts';
import { CommandError, defineCommand } from '../command.ts';
import type { Resource } from '../discovery.ts';
import { failureLine } from '../errors.ts';
import { flag } from '../flags.ts';
import type { Describer } from '../describe/describer.ts';
import { parseTargets } from '../resource-args.ts';
import { at, fileFlags, select, selectorFlags } from '../selection.ts';
import { withSession, type Session } from '../session.ts';

/** Describers of kinds that have one; each is loaded when it is needed. */
const describers: Readonly<Record<string, () => Promise<unknown>>> = {
  Pod: async () => (await import('../describe/pod.ts')).describer,
  Node: async () => (await import('../describe/node.ts')).describer,
  Service: async () => (await import('../describe/service.ts')).describer,
  'Deployment.apps': async () => (await import('../describe/workload.ts')).deployment,
  'ReplicaSet.apps': async () => (await import('../describe/workload.ts')).replicaSet,
  ConfigMap: async () => (await import('../describe/config.ts')).configMap,
  Secret: async () => (await import('../describe/config.ts')).secret,
  ServiceAccount: async () => (await import('../describe/config.ts')).serviceAccount,
  Endpoints: async () => (await import('../describe/endpoints.ts')).endpoints,
  'EndpointSlice.discovery.k8s.io': async () => (await import('../describe/endpoints.ts')).endpointSlice,
  ResourceQuota: async () => (await import('../describe/bounds.ts')).resourceQuota,
  LimitRange: async () => (await import('../describe/bounds.ts')).limitRange,
  Namespace: async () => (await import('../describe/config.ts')).namespace,
};

const describerOf = async ({ kind, group }: Resource): Promise<Describer> =>
  await (describers[group === '' ? kind : `${kind}.${group}`]?.() ?? import('../describe/generic.ts').then(({ describer }) => describer)) as Describer;

/** The object of a name, or all whose names begin with it. */
const findByNameOrPrefix = async (session: Session, resource: Resource, name: string, signal: AbortSignal): Promise<readonly ApiObject[]> => {
  try {
    return [await session.api.get({ ...at(resource, session.namespace), name }, signal)];
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
    const found = (await session.api.list(at(resource, session.namespace), {}, signal)).items.filter(({ metadata }) => metadata.name?.startsWith(name));
    if (found.length === 0) throw error;
    return found;
  }
};

export const command = defineCommand({
  name: 'describe', group: 'Debug', summary: 'Show what there is to know about objects, with their events.',
  usage: 'describe (TYPE [NAME or beginning of it...] | TYPE/NAME... | TYPE -l SELECTOR | -f FILE) [flags]',
  examples: [
    { note: 'One pod', line: 'describe pod web-1' },
    { note: 'All pods whose names begin with web', line: 'describe pods web' },
  ],
  flags: { ...clusterFlags, ...selectorFlags, ...fileFlags, 'show-events': flag.on('Show the events too.', { initial: true }) },
  run: (context) => withSession(context.flags, context, async (session) => {
    const { flags, signal } = context;
    if (context.args.length === 0 && flags.filename.length === 0) throw new CommandError('you must specify the type of resource to describe');
    const discovery = await session.discovery();
    const chosen = flags.filename.length > 0
      ? (await select(session, context, { args: context.args, filenames: flags.filename, recursive: flags.recursive })).map(({ resource, name }) => ({ resource, name: name as string | undefined }))
      : parseTargets(context.args, discovery);
    const pages: string[] = [];
    let failed = false;
    for (const { resource, name } of chosen) {
      try {
        const objects = name === undefined
          ? (await session.api.list(at(resource, flags['all-namespaces'] ? undefined : session.namespace), { labelSelector: flags.selector }, signal)).items
          : await findByNameOrPrefix(session, resource, name, signal);
        const describer = await describerOf(resource);
        for (const object of objects) {
          const about = { session, world: context, resource };
          const page = await describer(object, about);
          if (flags['show-events'] && !['Secret', 'Namespace', 'ResourceQuota', 'LimitRange'].includes(resource.kind)) {
            const { addEvents } = await import('../describe/events.ts');
            await addEvents(page, object, about);
          }
          pages.push(page.text());
        }
      } catch (error) {
        failed = true;
        context.stderr.write(`${failureLine(error)}\n`);
      }
    }
    if (pages.length === 0 && !failed) context.stderr.write(flags['all-namespaces'] ? 'No resources found\n' : `No resources found in ${session.namespace} namespace.\n`);
    context.stdout.write(pages.join('\n\n'));
    return failed ? 1 : 0;
  }),
});
