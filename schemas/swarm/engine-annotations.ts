/** What Swarm's constraints ask about a node's engine and Kubernetes' API has no field for, in annotations that the node agent writes. */
import { swarmPrefix } from './placement.ts';

/** The engine's storage driver, such as `overlay2`. */
export const storageDriverAnnotation = `${swarmPrefix}storagedriver`;

/** The engine's default runtime, such as `runc`: what became of the execution drivers of old engines. */
export const executionDriverAnnotation = `${swarmPrefix}executiondriver`;

/** Labels that were given to the engine (`dockerd --label`), as a JSON object. */
export const engineLabelsAnnotation = `${swarmPrefix}engine-labels`;

/** Reads the labels of an engine; empty where they are absent or are no object of texts. Never throws. */
export const parseEngineLabels = (text: string | undefined): ReadonlyMap<string, string> => {
  if (text === undefined) return none;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return none;
    return new Map(Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    return none;
  }
};

const none: ReadonlyMap<string, string> = new Map();
