import type { ReconcileContext } from '../../client/controller.ts';
import { authoritiesKey, clusterInfoAt } from '../../schemas/cluster-info.ts';
import { ConfigMap } from '../../schemas/kinds/core/config-map.ts';
import type { ObjectMeta } from '../../schemas/types/object-meta.ts';

/** Whether an object's metadata are those of the ConfigMap in which the cluster says what it is like. */
export const isClusterInfo = ({ namespace, name }: ObjectMeta): boolean => namespace === clusterInfoAt.namespace && name === clusterInfoAt.name;

/** PEM of the authorities of the cluster as it names them now; undefined where it names none. They change while the controllers run. */
export const publishedAuthorities = (context: Pick<ReconcileContext, 'informer'>): string | undefined => context.informer(ConfigMap).get(clusterInfoAt)?.data?.[authoritiesKey];
