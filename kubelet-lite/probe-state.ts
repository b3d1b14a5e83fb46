/** The counting of probe results, as a pure function. */
import type { Probe } from '../schemas/types/probe.ts';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

export interface ProbeState {
  /** What the probe says now; undefined until a threshold was met for the first time. */
  readonly result: boolean | undefined;
  /** Outcomes in a row that are alike. */
  readonly run: number;
  readonly last: boolean | undefined;
}

export const newProbe: ProbeState = { result: undefined, run: 0, last: undefined };

/** The state after one more outcome: it turns when a threshold of outcomes in a row is met. */
export const counted = (state: ProbeState, succeeded: boolean, { successThreshold = 1, failureThreshold = 3 }: Probe): ProbeState => {
  const run = state.last === succeeded ? state.run + 1 : 1;
  const met = run >= (succeeded ? successThreshold : failureThreshold);
  return { result: met ? succeeded : state.result, run, last: succeeded };
};
