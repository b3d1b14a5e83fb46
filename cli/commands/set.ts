import type { ApiObject } from '../../schemas/kind.ts';
import { changeEach, changeEachFlags } from '../change-each.ts';
import { CommandError, defineCommand } from '../command.ts';

interface Container {
  readonly name: string;
  readonly image?: string;
}

interface PodSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
}

interface Workload extends ApiObject {
  readonly spec?: PodSpec & { readonly template?: { readonly spec?: PodSpec }; readonly jobTemplate?: { readonly spec?: { readonly template?: { readonly spec?: PodSpec } } } };
}

/** Where a kind keeps its pod spec, and a patch that goes there. */
const podSpecOf = ({ spec = {} }: Workload): { readonly spec: PodSpec; readonly wrap: (patch: unknown) => unknown } => {
  if (spec.jobTemplate?.spec?.template?.spec !== undefined) return { spec: spec.jobTemplate.spec.template.spec, wrap: (patch) => ({ spec: { jobTemplate: { spec: { template: { spec: patch } } } } }) };
  if (spec.template?.spec !== undefined) return { spec: spec.template.spec, wrap: (patch) => ({ spec: { template: { spec: patch } } }) };
  return { spec, wrap: (patch) => ({ spec: patch }) };
};

const image = defineCommand({
  name: 'image', group: 'Deploy', summary: 'Change the image of containers.',
  usage: 'set image (TYPE NAME | TYPE/NAME... | -f FILE) CONTAINER=IMAGE... [flags]',
  examples: [
    { note: 'One container', line: 'set image deployment/web web=nginx:1.27' },
    { note: 'All containers', line: "set image deployment/web '*=nginx:1.27'" },
  ],
  flags: changeEachFlags,
  run: async (context) => {
    const first = context.args.findIndex((arg) => arg.includes('='));
    if (first === -1) throw new CommandError('at least one image update is required');
    const updates = context.args.slice(first).map((arg) => {
      const equals = arg.indexOf('=');
      if (equals < 1 || equals === arg.length - 1) throw new CommandError(`invalid image update "${arg}": write CONTAINER=IMAGE`);
      return { container: arg.slice(0, equals), image: arg.slice(equals + 1) };
    });
    return changeEach(context, {
      args: context.args.slice(0, first), manager: 'kubectl-set',
      change: (object, selected) => {
        const { spec, wrap } = podSpecOf(object as Workload);
        const all = [...spec.containers ?? [], ...spec.initContainers ?? []];
        if (all.length === 0) throw new CommandError(`${selected.resource.plural}/${selected.name} has no containers`);
        for (const { container } of updates) {
          if (container !== '*' && !all.some(({ name }) => name === container)) throw new CommandError(`unable to find container named "${container}"`);
        }
        const changed = (containers: readonly Container[] | undefined): readonly Container[] => (containers ?? []).flatMap(({ name, image: before }) => {
          const found = updates.findLast(({ container }) => container === name || container === '*')?.image;
          return found === undefined || found === before ? [] : [{ name, image: found }];
        });
        const containers = changed(spec.containers);
        const initContainers = changed(spec.initContainers);
        if (containers.length + initContainers.length === 0) return { verb: 'image updated', unchanged: 'silent' };
        return {
          verb: 'image updated',
          patch: { type: 'strategic', body: wrap({ ...(containers.length === 0 ? {} : { containers }), ...(initContainers.length === 0 ? {} : { initContainers }) }) },
        };
      },
    });
  },
});

export const command = defineCommand({
  name: 'set', group: 'Deploy', summary: 'Change one feature of objects: their image.', usage: 'set image (TYPE NAME | TYPE/NAME...) CONTAINER=IMAGE... [flags]',
  flags: {}, subcommands: { image },
  run: () => Promise.reject(new CommandError('say what to set: image')),
});
