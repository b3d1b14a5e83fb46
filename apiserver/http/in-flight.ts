import type { Clock } from '../../base/clock.ts';
import type { ResourcePath, UserInfo } from '../../schemas/api.ts';
import { FairLane, type LaneLimits } from './fair-lanes.ts';

/** What a request takes up: it changes something, it reads, or it stays (watches, logs, exec, proxies). */
export type Occupation = 'mutating' | 'readOnly' | 'longRunning';

/** Requests that are carried out at once. The numbers of one user hold for every user. */
export interface InFlightLimits {
  readonly mutating: number;
  readonly mutatingPerUser: number;
  readonly reading: number;
  readonly readingPerUser: number;
  readonly longRunning: number;
  readonly longRunningPerUser: number;
  /** Requests that wait for their turn, of each user and of all, in each lane. */
  readonly waitingPerUser: number;
  readonly waiting: number;
  readonly waitMs: number;
}

/**
 * 200 and 400 at once are Kubernetes' own defaults. A user has half of that, so that two who are stuck (on slow bodies, on
 * a webhook that hangs) are needed to hold everybody up. Watches leave a fifth of all connections to the rest.
 */
export const defaultInFlight: InFlightLimits = {
  mutating: 200, mutatingPerUser: 100, reading: 400, readingPerUser: 200, longRunning: 8_000, longRunningPerUser: 1_000,
  waitingPerUser: 500, waiting: 4_000, waitMs: 10_000,
};

const reads = new Set(['GET', 'HEAD', 'OPTIONS']);
const streams = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);
const no = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** True when a query asks for a watch, or for something that only a watch could be. */
export const watchWanted = (query: URLSearchParams | undefined): boolean => {
  const watch = query?.get('watch');
  return watch !== undefined && watch !== null && !no.has(watch);
};

/** What a request takes up, as far as its first line tells. */
export const occupationOf = (method: string, path: ResourcePath | undefined, query: URLSearchParams | undefined): Occupation => {
  if (path?.subresource !== undefined) {
    if (streams.has(path.subresource)) return 'longRunning';
  } else if (query !== undefined && path !== undefined && method === 'GET' && watchWanted(query)) return 'longRunning';
  return reads.has(method) ? 'readOnly' : 'mutating';
};

type Lanes = Readonly<Record<Occupation, FairLane>>;

/**
 * Which lane a request goes in. Administrators (`system:masters`) wait for nobody: they must get in when all is full.
 * Agents and barge's own components have lanes of their own, of the same size, so that users cannot crowd them out, nor
 * they the users. Everybody else shares the rest.
 */
export class InFlight {
  readonly #users: Lanes;
  readonly #system: Lanes;

  constructor(limits: InFlightLimits, clock: Pick<Clock, 'after'>) {
    const { waitingPerUser, waiting, waitMs } = limits;
    const lane = (total: number, perUser: number, line: Pick<LaneLimits, 'waiting' | 'waitingPerUser'>): FairLane => new FairLane({ total, perUser: Math.min(total, perUser), ...line, waitMs }, clock);
    const lanes = (): Lanes => ({
      mutating: lane(limits.mutating, limits.mutatingPerUser, { waiting, waitingPerUser }), readOnly: lane(limits.reading, limits.readingPerUser, { waiting, waitingPerUser }),
      longRunning: lane(limits.longRunning, limits.longRunningPerUser, { waiting: 0, waitingPerUser: 0 }),
    });
    this.#users = lanes();
    this.#system = lanes();
  }

  /** Undefined for who needs none. */
  laneOf({ name, groups }: UserInfo, occupation: Occupation): FairLane | undefined {
    if (groups.includes('system:masters')) return undefined;
    return (name.startsWith('system:barge:') || groups.includes('system:nodes') ? this.#system : this.#users)[occupation];
  }

  /** Requests that run and that wait, of all users who need a lane. */
  count(occupation: Occupation): { readonly running: number; readonly waiting: number } {
    const both = [this.#users[occupation], this.#system[occupation]];
    return { running: both.reduce((sum, { running }) => sum + running, 0), waiting: both.reduce((sum, { waiting }) => sum + waiting, 0) };
  }
}
