/**
 * A quota's status follows its spec at once: whoever makes or changes a quota gets it back counted, and its new limits hold
 * from that moment. What is counted by later writes goes by their transactions (quota-ledger.ts); the check of the quota's
 * revision keeps the two apart.
 */
import type { Clock } from '../../base/clock.ts';
import { deepEqual, draftOf, type Draft } from '../../schemas/frozen.ts';
import type { ResourceQuota } from '../../schemas/kinds/core/resource-quota.ts';
import { recounted } from '../../schemas/quota/account.ts';
import type { AdmissionPlugin } from '../admission/admission.ts';
import type { WatchCache } from '../watch/watch-cache.ts';

/** Counts anew for each quota whose limits are new. */
export const quotaStatus = (cache: Pick<WatchCache, 'list'>, clock: Clock): AdmissionPlugin => ({
  name: 'QuotaStatus',
  complete: (draft, { kind, namespace, old }) => {
    if (kind.group !== '' || kind.plural !== 'resourcequotas') return;
    const quota = draft as unknown as Draft<ResourceQuota>;
    const before = old as ResourceQuota | undefined;
    if (before !== undefined && deepEqual(quota.spec?.hard ?? {}, before.status?.hard ?? {}) && deepEqual(quota.spec, before.spec)) return;
    const spec = quota.spec ?? {};
    const counted = recounted(spec, ({ group, plural }) => {
      const found = cache.list(`${group}/${plural}/${namespace}/`);
      // A quota that counts quotas counts itself.
      return group === '' && plural === 'resourcequotas' && before === undefined ? [...found, draft as unknown as ResourceQuota] : found;
    }, clock.now());
    quota.status = draftOf(counted);
  },
});
