/**
 * Gives a machine that is to be a further server what it needs for that: the authority's key, the key of service accounts' tokens,
 * where the objects are. Whoever has that is the cluster, so it goes to two sorts of callers and to no other, whatever roles say:
 * bearers of a token for servers, and nodes that an admin has marked.
 */
import type { UserInfo } from '../../schemas/api.ts';
import { ApiError, badRequest } from '../../schemas/errors.ts';
import { requireAccess } from '../authorization/forbidden.ts';
import { serversGroup } from '../authorization/default-roles.ts';
import { nodeOfUser } from '../authorization/node-authorizer.ts';
import { bootstrapUserPrefix } from '../authentication/bootstrap-tokens.ts';
import { decodeBody, objectFormat, readBody } from './body.ts';
import type { Exchange, HttpContext } from './exchange.ts';
import { askerFor } from './identity.ts';
import { replyJson } from './reply.ts';

/** Who asks: a new machine that would be `nodeName`, or the machine of a node that is there. Rejects with what is in the way. */
export type MaterialSource = (asker: { readonly nodeName: string; readonly isNode: boolean }) => Promise<object>;

/** A request is a name and a version. */
const bodyBytes = 4_096;

const isServerToken = ({ name, groups }: UserInfo): boolean => name.startsWith(bootstrapUserPrefix) && groups.includes(serversGroup);

export const giveServerMaterial = async (context: HttpContext, { request, response, user, pathname }: Exchange, source: MaterialSource | undefined): Promise<void> => {
  requireAccess(context.authorizer, { user, verb: (request.method ?? 'GET').toLowerCase(), path: pathname });
  if (request.method !== 'POST') throw new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource');
  const node = nodeOfUser(user);
  // An admin may do everything, but the keys do not leave by his kubeconfig, which is copied about; he makes a token.
  if (askerFor(user) !== user || (node === undefined && !isServerToken(user))) throw new ApiError('Forbidden', 'only a join token for servers, or a node that is to become one, gets what a server needs');
  const { value } = decodeBody(await readBody(request, bodyBytes), { format: objectFormat(request.headers['content-type']), limitBytes: bodyBytes, findDuplicates: false });
  const { nodeName } = (value ?? {}) as { readonly nodeName?: unknown };
  if (typeof nodeName !== 'string' || nodeName === '') throw badRequest('nodeName: the name that the machine has, or will have, must be given');
  if (node !== undefined && node !== nodeName) throw new ApiError('Forbidden', `node ${JSON.stringify(node)} asks for itself only, not for ${JSON.stringify(nodeName)}`);
  if (source === undefined) throw new ApiError('Conflict', 'this server takes no further ones');
  await replyJson(request, response, 200, await source({ nodeName, isNode: node !== undefined }), { 'Cache-Control': 'no-store' });
};
