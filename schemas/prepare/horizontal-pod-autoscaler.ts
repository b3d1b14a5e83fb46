import type { Draft } from '../frozen.ts';
import type { HorizontalPodAutoscalerSpec } from '../kinds/autoscaling/horizontal-pod-autoscaler.ts';

/** Percentage of the CPU that is asked for, where no metric is named. */
const defaultCpuPercent = 80;

/** An autoscaler without metrics goes by CPU; rules about speed that say only a part get the rest. */
export const prepareHorizontalPodAutoscalerSpec = (spec: Draft<HorizontalPodAutoscalerSpec>): void => {
  if ((spec.metrics ?? []).length === 0) {
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: defaultCpuPercent } } }];
  }
  if (spec.behavior === undefined) return;
  spec.behavior.scaleUp = {
    stabilizationWindowSeconds: 0, selectPolicy: 'Max',
    policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }, { type: 'Percent', value: 100, periodSeconds: 15 }], ...spec.behavior.scaleUp,
  };
  spec.behavior.scaleDown = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }], ...spec.behavior.scaleDown };
};
