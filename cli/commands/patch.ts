import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { changeEach, changeEachFlags } from '../change-each.ts';
import { CommandError, defineCommand } from '../command.ts';
import { flag } from '../flags.ts';
import { parseYaml } from '../manifest-yaml.ts';

export const command = defineCommand({
  name: 'patch', group: 'Advanced', summary: 'Change fields of an object by a patch.',
  usage: "patch (TYPE NAME | TYPE/NAME | -f FILE) -p PATCH [--type strategic|merge|json] [flags]",
  examples: [
    { note: 'Change one container by its name', line: `patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx:2"}]}}}}'` },
    { note: 'A JSON patch', line: `patch pod web --type=json -p '[{"op":"remove","path":"/metadata/labels/tier"}]'` },
  ],
  flags: {
    ...changeEachFlags,
    patch: flag.text('The patch, as JSON or YAML.', { short: 'p', value: 'PATCH' }),
    'patch-file': flag.text('File with the patch.', { value: 'FILE' }),
    type: flag.oneOf(['strategic', 'merge', 'json'], 'How the patch is written.', { initial: 'strategic' }),
    subresource: flag.text('Subresource to patch: status, scale, resize.', { value: 'NAME' }),
  },
  run: async (context) => {
    const { flags } = context;
    const file = flags['patch-file'];
    if ((flags.patch === undefined) === (file === undefined)) throw new CommandError('must specify --patch or --patch-file containing the contents of the patch');
    const text = file === undefined ? flags.patch! : await readFile(resolve(context.cwd, file), 'utf8');
    const [document, ...more] = parseYaml(text, file ?? '--patch');
    if (document === undefined || more.length > 0) throw new CommandError('the patch must be one JSON or YAML document');
    const type = flags.type ?? 'strategic';
    if (type === 'json' ? !Array.isArray(document.value) : typeof document.value !== 'object' || Array.isArray(document.value)) {
      throw new CommandError(type === 'json' ? 'a JSON patch must be a list of operations' : `a ${type} patch must be an object`);
    }
    let before: string | undefined;
    return changeEach(context, {
      args: context.args, manager: 'kubectl-patch',
      change: (object) => {
        before = object.metadata.resourceVersion;
        const patch = { type, body: document.value, ...(flags.subresource === undefined ? {} : { subresource: flags.subresource }) };
        return { verb: (after) => (after.metadata.resourceVersion === before && flags['dry-run'] === 'none' ? 'patched (no change)' : 'patched'), patch };
      },
    });
  },
});
