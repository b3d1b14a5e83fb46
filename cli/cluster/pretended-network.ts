import type { Overlay, Self } from '../../kubelet-lite/network/overlay.ts';
import type { ProxyBackend } from '../../proxy/backend.ts';
import type { PolicyEnforcer } from '../../proxy/network-policy/policy-enforcer.ts';

/** The network of a simulated runtime: its pods have addresses that nothing listens on, so there is nothing to set up. */
export class PretendedOverlay implements Overlay {
  readonly name = 'pretended';
  readonly overheadBytes = 0;

  async prepare({ podCidr }: Self): Promise<{ readonly gatewayIp: string }> {
    return { gatewayIp: podCidr.replace(/\d+\/\d+$/, '1') };
  }

  async apply(): Promise<void> {
    // Simulated pods reach each other inside the runtime.
  }

  async isUndisturbed(): Promise<boolean> {
    return true;
  }

  async remove(): Promise<void> {
    // Nothing was made.
  }
}

/** The proxy of a simulated runtime: every table is in force at once. */
export class PretendedBackend implements ProxyBackend {
  readonly name = 'pretended';

  async apply(): Promise<void> {
    // Nobody connects.
  }

  async remove(): Promise<void> {
    // Nothing was made.
  }
}

/** Network policies of a simulated runtime: nothing goes over a network. */
export class PretendedPolicies implements PolicyEnforcer {
  readonly name = 'pretended';

  async apply(): Promise<void> {
    // Nobody connects.
  }

  async remove(): Promise<void> {
    // Nothing was made.
  }
}
