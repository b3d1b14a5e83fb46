/** Types of answers that belong to no kind, as OpenAPI names them; those of requests are in schemas/types/bodies.ts. */
import { anything, int32, int64, list, object, string, type JsonSchema } from '../schemas/schema.ts';
import { Binding, Eviction, Scale } from '../schemas/types/bodies.ts';
import { TokenRequest } from '../schemas/types/token-request.ts';

const apiVersion = string('Version of the schema of this object.');
const kind = string('Name of the kind.');

export const ListMeta = object('meta.v1.ListMeta', 'What every list carries: the version it stands at, and where to go on.', {
  continue: string('Token for the next page of a list that was limited; empty on the last page.'),
  remainingItemCount: int64('How many items are left after this page, where that is known.'),
  resourceVersion: string('Version at which the list was taken; a watch can start from it.'),
  selfLink: string('Not used any more; kept for old clients.'),
});

const StatusCause = object('meta.v1.StatusCause', 'One thing that is wrong with a request.', {
  field: string('Path of the field that is wrong.'),
  message: string('What is wrong and what would be right.'),
  reason: string('Why, in one word that programs know.'),
});

const StatusDetails = object('meta.v1.StatusDetails', 'What a status is about.', {
  causes: list(StatusCause, 'Every single thing that is wrong.', { listType: 'atomic' }),
  group: string('API group of the object.'),
  kind: string('Resource or kind of the object.'),
  name: string('Name of the object.'),
  retryAfterSeconds: int32('After how many seconds it may be worth another try.'),
  uid: string('UID of the object.'),
});

export const Status = object('meta.v1.Status', 'The answer to a request that failed, or that leaves no object behind.', {
  apiVersion, kind, metadata: ListMeta,
  code: int32('HTTP status code.'),
  details: StatusDetails,
  message: string('What happened, for people.'),
  reason: string('What happened, in one word that programs know.'),
  status: string('Success or Failure.'),
});

export const Patch = object('meta.v1.Patch', 'A patch: JSON patch, merge patch, strategic merge patch, or an object to apply.', {});

/** Bodies of subresources, by the kind that discovery names. */
export const specialBodies: Readonly<Record<string, JsonSchema>> = { Binding: Binding.schema, Eviction: Eviction.schema, Scale: Scale.schema, TokenRequest: TokenRequest.schema };

/** A body of which nothing is known. */
export const unknownBody: JsonSchema = anything('Any object.');
