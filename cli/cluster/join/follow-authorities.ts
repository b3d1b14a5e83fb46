import { certificatesIn } from '../../../base/authorities.ts';
import { sleep } from '../../../base/clock.ts';
import type { Component, Surroundings } from '../../../base/component.ts';
import type { LiveValue } from '../../../base/live-value.ts';
import { createClient } from '../../../client/client.ts';
import { clusterInfoAt } from '../../../schemas/cluster-info.ts';
import { isReason } from '../../../schemas/errors.ts';
import { ConfigMap } from '../../../schemas/kinds/core/config-map.ts';
import { authoritiesOf } from './cluster-info.ts';
import type { MembershipFiles } from './membership.ts';

export interface FollowOptions {
  readonly trust: LiveValue<string>;
  readonly files: Pick<MembershipFiles, 'keepAuthorities'>;
}

const retryMs = 1_000;

/** Trusts the authorities that the cluster names, and keeps them where a restart finds them before anything uses them. */
export const createAuthorityFollower = ({ transport, clock, log }: Surroundings, { trust, files }: FollowOptions): Component => ({
  name: 'authority-follower', after: [],
  run: async (signal, ready) => {
    ready();
    const maps = createClient(transport).of(ConfigMap);
    const { namespace, name } = clusterInfoAt;
    while (!signal.aborted) {
      try {
        for await (const events of maps.watch({ namespace, fieldSelector: `metadata.name=${name}`, resourceVersion: '0' }, signal)) {
          for (const event of events) {
            if (event.type === 'BOOKMARK' || event.type === 'DELETED') continue;
            const authorities = authoritiesOf(event.object.data ?? {});
            if (authorities === undefined || authorities === trust.current) continue;
            await files.keepAuthorities(authorities);
            trust.replace(authorities);
            log.info('the cluster has other authorities', { authorities: certificatesIn(authorities).length });
          }
        }
      } catch (error) {
        // A server that is away, or that closes a watch, says nothing about authorities.
        if (!signal.aborted && !isReason(error, 'ServiceUnavailable', 'Expired')) log.warn('the authorities of the cluster could not be read, trying again', { error });
      }
      await sleep(clock, retryMs, signal);
    }
  },
});
