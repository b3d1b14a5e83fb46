/** Seconds that a pod has to stop where it says nothing. */
export const defaultGraceSeconds = 30;

/** Seconds that a pod has to stop. Less than nothing means the shortest time there is, a second, as in Kubernetes. */
export const graceSecondsOf = (spec: { readonly terminationGracePeriodSeconds?: number | undefined } | undefined): number => {
  const seconds = spec?.terminationGracePeriodSeconds ?? defaultGraceSeconds;
  return seconds < 0 ? 1 : seconds;
};
