import { CommandError } from './command.ts';
import type { Discovery, Resource } from './discovery.ts';
import { UsageError } from './flags.ts';

/** One thing that a command line names: a whole collection, or one object of it. */
export interface Target {
  readonly resource: Resource;
  readonly name?: string | undefined;
}

/**
 * Reads `TYPE`, `TYPE NAME...`, `TYPE1,TYPE2 [NAME...]`, `TYPE/NAME...` and categories such as `all`. Throws CommandError
 * for types that the server does not have.
 */
export const parseTargets = (args: readonly string[], discovery: Discovery): readonly Target[] => {
  const pairs = args.filter((arg) => arg.includes('/'));
  if (pairs.length > 0) {
    if (pairs.length !== args.length) {
      const lone = args.find((arg) => !arg.includes('/'));
      throw new UsageError(`there is no need to specify a resource type as a separate argument when passing arguments in resource/name form: "${lone}" stands alone`);
    }
    return pairs.map((pair) => {
      const [type = '', name = '', ...more] = pair.split('/');
      if (more.length > 0 || type === '' || name === '') throw new CommandError(`arguments in resource/name form may not have more than one slash: "${pair}"`);
      return { resource: discovery.named(type), name };
    });
  }
  const [types, ...names] = args;
  if (types === undefined) return [];
  const resources = [...new Set(types.split(',').filter((type) => type !== '').flatMap((type) => {
    const members = discovery.category(type);
    return members.length > 0 ? members : [discovery.named(type)];
  }))];
  return names.length === 0 ? resources.map((resource) => ({ resource })) : resources.flatMap((resource) => names.map((name) => ({ resource, name })));
};
