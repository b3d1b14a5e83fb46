/** What `swarm.ts` asks of each side: to keep copies of the example's image running on the machines of a lab. */
/** A copy that is wanted and runs, as the orchestrator's own API tells it. */
export interface Copy {
  readonly container: string;
  readonly machine: string;
  readonly image: string;
}

/** Which of two copies is first in an update: the new one that starts, or the old one that stops. */
export type Order = 'start' | 'stop';

export interface Orchestrator {
  /** Makes one cluster of all machines, with its defaults. */
  begin(): Promise<void>;
  create(count: number): Promise<void>;
  scale(count: number): Promise<void>;
  /** Gives all copies another image, two at a time. */
  update(image: string, first: Order): Promise<void>;
  running(): Promise<readonly Copy[]>;
  /** Takes the copies away, and what belongs to them; does not wait for their end. */
  remove(): Promise<void>;
  /** Starts a container named `*caller*` on each machine that runs `callingScript`. */
  call(): Promise<void>;
  /** Takes away what an engine that ends would leave behind. */
  end(): Promise<void>;
}

export const machines = ['n1', 'n2', 'n3'] as const;
export const images = ['barge/hello:1', 'barge/hello:2'] as const;
export const port = 8_080;

/**
 * Calls a name on and on, resolved anew for each call, each on a connection of its own; /tmp/calls has how many calls there
 * were, and how many of them had no answer.
 */
export const callingScript = (name: string): string => `
calls=0; failed=0
while :; do
  calls=$((calls + 1))
  address=$(nslookup ${name} 2> /dev/null | sed -n 's/^Address: *\\([0-9.]*\\)$/\\1/p' | tail -n 1)
  (printf 'GET / HTTP/1.0\\r\\n\\r\\n'; sleep 0.2) | busybox nc -w 5 "$address" ${port} 2> /dev/null | grep -q Hello || failed=$((failed + 1))
  echo "$calls $failed" > /tmp/calls.new; mv /tmp/calls.new /tmp/calls
done`;
