import type { Registry } from '../../schemas/registry.ts';
import type { Clock } from '../../base/clock.ts';
import type { AccountTokens } from '../authentication/account-tokens.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import { quotaStatus } from '../quota/quota-status.ts';
import type { WatchCache } from '../watch/watch-cache.ts';
import type { AdmissionPlugin } from './admission.ts';
import { customResources } from './custom-resources.ts';
import { certificateRequests } from './certificate-requests.ts';
import { dependencyCircles } from './dependency-circles.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import { podDefaults, type NodePatience } from './pod-defaults.ts';
import { podSecurity } from './pod-security.ts';
import { policyExpressions } from './policy-expressions.ts';
import { priority } from './priority.ts';
import { roleEscalation } from './role-escalation.ts';
import { serviceAccount } from './service-account.ts';
import { serviceAddresses } from './service-addresses.ts';
import { storage } from './storage.ts';

export interface AdmissionOptions {
  readonly cache: WatchCache;
  readonly registry: Registry;
  readonly authorizer: Authorizer;
  /** Undefined where pods get no tokens. */
  readonly accountTokens: AccountTokens | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  /** Kubernetes' tolerations of a new pod, but for nodes that cannot be reached; see NodePatience. */
  readonly nodePatience?: NodePatience | undefined;
  readonly serviceCidr: string;
  readonly nodePortRange: { readonly from: number; readonly to: number };
}

/** The rules of this cluster, in the order in which they run. */
export const admissionPlugins = (options: AdmissionOptions): readonly AdmissionPlugin[] => [
  namespaceLifecycle(options.cache),
  customResources(options.cache),
  serviceAccount({ cache: options.cache, random: options.random, tokens: options.accountTokens !== undefined }),
  priority(options.cache),
  podDefaults(options.nodePatience),
  storage(options.cache),
  limitRanger(options.cache),
  podSecurity(options.cache),
  nodeRestriction(options.cache),
  roleEscalation(options.cache, options.authorizer),
  certificateRequests(),
  policyExpressions(options.registry),
  dependencyCircles(options.cache),
  serviceAddresses(options),
  quotaStatus(options.cache, options.clock),
];
