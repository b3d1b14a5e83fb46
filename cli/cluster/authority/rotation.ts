import type { Component, Surroundings } from '../../../base/component.ts';
import { runControllers, type Controller } from '../../../client/controller.ts';
import { ConfigMap } from '../../../schemas/kinds/core/config-map.ts';
import type { ClusterCredentials } from '../credentials.ts';
import { authorityHash } from '../join/join-token.ts';
import { planRotation } from './plan.ts';
import { rotationRequestAt, rotationRequestOf } from './rotation-request.ts';

export interface RotationOptions {
  readonly credentials: Pick<ClusterCredentials, 'authority' | 'beginRotation' | 'finishRotation'>;
  /** Tells nodes and pods which authorities there are now. */
  readonly publish: () => Promise<void>;
}

const lookAgainMs = 1_000;

const rotationController = ({ credentials, publish }: RotationOptions): Controller<ConfigMap> => ({
  name: 'authority-rotation',
  reconciles: ConfigMap,
  reconcile: async (request, { namespace, name }, { log }) => {
    if (request === undefined || namespace !== rotationRequestAt.namespace || name !== rotationRequestAt.name) return undefined;
    const { signer, outgoing, ownRenewed } = credentials.authority();
    const step = planRotation({ signer: authorityHash(signer.cert), outgoing: outgoing === undefined ? undefined : authorityHash(outgoing), ownRenewed }, rotationRequestOf(request));
    if (step === 'wait') return { afterMs: lookAgainMs };
    if (step === 'begin') await credentials.beginRotation();
    if (step === 'finish') await credentials.finishRotation();
    if (step !== undefined) log.info(step === 'begin' ? 'another authority signs from now on' : 'the authority from before is not trusted any more', { authority: authorityHash(credentials.authority().signer.cert) });
    // Also where there was nothing to do: the process may have ended between the step and this.
    await publish();
    return undefined;
  },
});

/** Replaces the cluster's authority when somebody asks for it, in the process that has its key. */
export const createRotation = (surroundings: Surroundings, options: RotationOptions): Component => ({
  name: 'authority-rotation', after: [],
  run: (signal, ready) => runControllers([rotationController(options)], surroundings, signal, ready),
});
