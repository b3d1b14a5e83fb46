import type { WatchCache } from '../watch/watch-cache.ts';
import type { Authorizer } from './authorizer.ts';
import { componentGrants } from './builtin-grants.ts';
import { createNodeAuthorizer } from './node-authorizer.ts';
import { RbacAuthorizer } from './rbac.ts';
import { anyAuthorizer, createRulesAuthorizer } from './rules.ts';

/** The authorizer of a cluster: barge's own components by a fixed table, agents by the pods they have, everybody else by roles. */
export const createClusterAuthorizer = (state: Pick<WatchCache, 'get' | 'byField' | 'follow' | 'list'>): Authorizer =>
  anyAuthorizer([createRulesAuthorizer(componentGrants), createNodeAuthorizer(state), new RbacAuthorizer(state)]);
