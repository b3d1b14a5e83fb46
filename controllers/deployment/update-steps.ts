import type { ReconcileContext } from '../../client/controller.ts';
import { keyOf } from '../../client/key.ts';
import { ApiError } from '../../schemas/errors.ts';
import { draftOf } from '../../schemas/frozen.ts';
import { Deployment } from '../../schemas/kinds/apps/deployment.ts';
import { annotationNames } from '../../schemas/rollout-annotations.ts';
import type { PodTemplateSpec } from '../../schemas/types/pod-spec.ts';
import { withoutConfigHash } from './config-hash.ts';
import type { DeploymentStep } from './plan.ts';
import { sameTemplate, templateHashLabel } from './template-hash.ts';
import type { UpdateStep } from './update-monitor.ts';

export const isUpdateStep = (step: DeploymentStep): step is UpdateStep => step.do === 'rollback' || step.do === 'pause' || step.do === 'resume';

/** A ReplicaSet's template as a Deployment would have it. */
const authored = (template: PodTemplateSpec): PodTemplateSpec => {
  const { metadata, ...rest } = withoutConfigHash(template);
  const { [templateHashLabel]: _, ...labels } = metadata?.labels ?? {};
  return { ...rest, metadata: { ...metadata, labels } };
};

/** Pauses, rolls back or goes on, and tells of it. Throws Conflict when the Deployment is not what was looked at. */
export const carryOutUpdateStep = async (deployment: Deployment, step: UpdateStep, context: ReconcileContext): Promise<void> => {
  const { rolledBackFrom, rolledBackTo, pausedAt, continuedAt } = annotationNames;
  await context.client.of(Deployment).modify(keyOf(deployment), (draft) => {
    if (draft.metadata.uid !== deployment.metadata.uid || draft.spec.paused !== deployment.spec.paused || !sameTemplate(draft.spec.template as PodTemplateSpec, deployment.spec.template)) {
      throw new ApiError('Conflict', `Deployment ${deployment.metadata.name} was changed since its update was judged`);
    }
    const annotations = { ...draft.metadata.annotations };
    if (step.do === 'rollback') {
      draft.spec.template = draftOf(authored(step.to.spec!.template!));
      annotations[rolledBackFrom] = step.from;
      annotations[rolledBackTo] = step.to.metadata.name ?? '';
    } else if (step.do === 'pause') {
      draft.spec.paused = true;
      annotations[pausedAt] = step.at;
    } else {
      delete annotations[pausedAt];
      if (step.isContinued) annotations[continuedAt] = step.at;
      else delete draft.spec.paused;
    }
    draft.metadata.annotations = annotations;
  }, { hint: deployment });
  if (step.do === 'rollback') context.events.event(deployment, 'Warning', 'DeploymentRollback', step.message);
  if (step.do === 'pause') context.events.event(deployment, 'Warning', 'UpdatePaused', step.message);
};
