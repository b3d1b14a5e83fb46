/** Types of requests and answers that belong to no kind of their own, as OpenAPI names them. */
import { anything, boolean, int32, int64, list, object, string, type JsonSchema } from '../schemas/schema.ts';
import { ObjectMeta } from '../schemas/types/object-meta.ts';
import { ObjectReference } from '../schemas/types/references.ts';

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

const Preconditions = object('meta.v1.Preconditions', 'What must hold for a delete to happen.', {
  resourceVersion: string('Version that the object must have.'),
  uid: string('UID that the object must have.'),
});

export const DeleteOptions = object('meta.v1.DeleteOptions', 'How to delete an object.', {
  apiVersion, kind,
  dryRun: list(string('All.'), 'All: do everything but store the result.', { listType: 'atomic' }),
  gracePeriodSeconds: int64('Seconds that the object has to end; 0 deletes at once.'),
  orphanDependents: boolean('Not used any more: propagationPolicy says it better.'),
  preconditions: Preconditions,
  propagationPolicy: string('What happens to dependents: Foreground, Background or Orphan.'),
});

export const Patch = object('meta.v1.Patch', 'A patch: JSON patch, merge patch, strategic merge patch, or an object to apply.', {});

export const Binding = object('core.v1.Binding', 'Puts a pod on a node.', { apiVersion, kind, metadata: ObjectMeta, target: ObjectReference }, ['target']);

export const Eviction = object('policy.v1.Eviction', 'Asks for a pod to leave its node.', { apiVersion, kind, metadata: ObjectMeta, deleteOptions: DeleteOptions });

const ScaleSpec = object('autoscaling.v1.ScaleSpec', 'How many replicas there should be.', { replicas: int32('Number of replicas asked for.') });
const ScaleStatus = object('autoscaling.v1.ScaleStatus', 'How many replicas there are.', {
  replicas: int32('Number of replicas seen.'), selector: string('Label selector of the replicas, as text.'),
}, ['replicas']);
export const Scale = object('autoscaling.v1.Scale', 'How many replicas something has and should have.', { apiVersion, kind, metadata: ObjectMeta, spec: ScaleSpec, status: ScaleStatus });

/** Bodies of subresources, by the kind that discovery names. */
export const specialBodies: Readonly<Record<string, JsonSchema>> = { Binding, Eviction, Scale };

/** A body of which nothing is known. */
export const unknownBody: JsonSchema = anything('Any object.');
