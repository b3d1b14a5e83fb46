import type { ImageHealth } from './runtime.ts';

/** What a simulated container does when it runs: the script of a test, or of a cluster without an engine. */
export interface SimulatedProgram {
  /** Milliseconds that the engine takes to start it; 0 where absent. */
  readonly startMs?: number;
  /** The engine refuses to start it, with these words. */
  readonly startError?: string;
  /** Lines that it writes when it starts. */
  readonly output?: readonly { readonly stream: 'stdout' | 'stderr'; readonly line: string }[];
  /** Ends by itself after this long; runs until it is stopped where absent. */
  readonly exit?: { readonly afterMs: number; readonly code: number; readonly oomKilled?: boolean };
  /** Does not end on TERM; only on KILL. */
  readonly ignoresTerm?: boolean;
  /** Milliseconds from TERM to its end; 0 where absent. */
  readonly termMs?: number;
  /** What it ends with on TERM; 143 where absent. */
  readonly termCode?: number;
  /** Answers of `exec`; a shell that echoes its input and ends with 0 where absent. */
  readonly exec?: (command: readonly string[], input: string) => { readonly stdout?: string; readonly stderr?: string; readonly code: number };
  /** Status code of its answer to a probe; 0 refuses the connection. 200 where absent. */
  readonly answers?: (probe: { readonly kind: 'http' | 'tcp' | 'grpc'; readonly port: number; readonly path: string }) => number;
  /** What it uses from one look to the next; a tenth of a core and 16 MiB where absent. */
  readonly usage?: () => { readonly cpuMilli: number; readonly memoryBytes: number };
  /** What it has written on disk; nothing where absent. */
  readonly writtenBytes?: () => number;
}

/** An image of the simulated engine. */
export interface SimulatedImage {
  /** Whether it is on the node from the start; true where absent. */
  readonly present?: boolean;
  /** What the registry answers to a pull: an error's words, or nothing when it succeeds. */
  readonly pullError?: string;
  readonly pullMs?: number;
  /** Milliseconds until the registry answers at all. */
  readonly answerMs?: number;
  /** User of its configuration; root where absent. */
  readonly user?: string;
  /** 0 where absent. */
  readonly sizeBytes?: number;
  /** Its own check of its program's health. */
  readonly health?: ImageHealth;
  /** What each run does, by attempt; the last goes for all later ones. Nothing: it runs until it is stopped. */
  readonly runs?: readonly SimulatedProgram[];
}
