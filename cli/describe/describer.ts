import type { ApiObject } from '../../schemas/kind.ts';
import type { World } from '../command.ts';
import type { Resource } from '../discovery.ts';
import { at } from '../selection.ts';
import type { Session } from '../session.ts';
import type { Page } from './page.ts';

/** What a describer may ask beside the object itself. */
export interface DescribeContext {
  readonly session: Session;
  readonly world: Pick<World, 'clock' | 'signal'>;
  readonly resource: Resource;
}

/** Writes what one kind has to say, without its events. */
export type Describer<T extends ApiObject = ApiObject> = (object: T, context: DescribeContext) => Page | Promise<Page>;

/** Objects of another resource that the page shows too; none where the server does not have it or refuses. */
export const related = async <T extends ApiObject>({ session, world }: DescribeContext, word: string, where: { readonly namespace?: string | undefined; readonly labelSelector?: string | undefined; readonly fieldSelector?: string | undefined }): Promise<readonly T[]> => {
  const resource = (await session.discovery()).find(word);
  if (resource === undefined) return [];
  const { namespace, ...selectors } = where;
  return (await session.api.list(at(resource, namespace), selectors, world.signal)).items as readonly T[];
};
