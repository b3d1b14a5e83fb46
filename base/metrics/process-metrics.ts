import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';

/** The monitor of the event loop's delay ticks 50 times a second, so it runs only while somebody reads what it finds. */
const delayResolutionMs = 20;
const delayWithoutReaderMs = 300_000;

const openFiles = (): number => {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
};

/** The delay since the last reading, in seconds; the monitor starts with the first reading and stops when nobody reads on. */
class DelayMonitor {
  #monitor: ReturnType<typeof monitorEventLoopDelay> | undefined;
  #timer: NodeJS.Timeout | undefined;

  read(): { readonly mean: number; readonly max: number; readonly p99: number } | undefined {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#monitor?.disable();
      this.#monitor = undefined;
    }, delayWithoutReaderMs).unref();
    if (this.#monitor === undefined) {
      this.#monitor = monitorEventLoopDelay({ resolution: delayResolutionMs });
      this.#monitor.enable();
      return undefined;
    }
    const { mean, max } = this.#monitor;
    const found = { mean: mean / 1e9, max: max / 1e9, p99: this.#monitor.percentile(99) / 1e9 };
    this.#monitor.reset();
    return Number.isNaN(mean) ? undefined : found;
  }
}

/** Adds what every process tells of itself, under the names that Prometheus' own clients use. Nothing is measured until it is read. */
export const addProcessMetrics = (metrics: Metrics): void => {
  const cpu = metrics.counter({ name: 'process_cpu_seconds_total', help: 'Processor time of the process, user and system.' }).of();
  const rss = metrics.gauge({ name: 'process_resident_memory_bytes', help: 'Resident memory.' }).of();
  const started = metrics.gauge({ name: 'process_start_time_seconds', help: 'When the process started, as Unix time.' }).of();
  const files = metrics.gauge({ name: 'process_open_fds', help: 'Open file descriptors.' }).of();
  const heapUsed = metrics.gauge({ name: 'nodejs_heap_size_used_bytes', help: 'Used JavaScript heap.' }).of();
  const heapTotal = metrics.gauge({ name: 'nodejs_heap_size_total_bytes', help: 'JavaScript heap.' }).of();
  const external = metrics.gauge({ name: 'nodejs_external_memory_bytes', help: 'Memory outside of the heap that JavaScript objects hold.' }).of();
  const busy = metrics.counter({ name: 'nodejs_eventloop_active_seconds_total', help: 'Time that the event loop was at work.' }).of();
  const mean = metrics.gauge({ name: 'nodejs_eventloop_lag_mean_seconds', help: 'Mean delay of the event loop since the last reading.' });
  const max = metrics.gauge({ name: 'nodejs_eventloop_lag_max_seconds', help: 'Longest delay of the event loop since the last reading.' });
  const p99 = metrics.gauge({ name: 'nodejs_eventloop_lag_p99_seconds', help: '99th percentile of the delay of the event loop since the last reading.' });
  started.set(performance.timeOrigin / 1_000);
  const delays = new DelayMonitor();
  metrics.beforeRead(() => {
    const { user, system } = process.cpuUsage();
    const memory = process.memoryUsage();
    cpu.value = (user + system) / 1e6;
    rss.set(memory.rss);
    heapUsed.set(memory.heapUsed);
    heapTotal.set(memory.heapTotal);
    external.set(memory.external);
    files.set(openFiles());
    busy.value = performance.eventLoopUtilization().active / 1_000;
    const delay = delays.read();
    for (const [family, value] of [[mean, delay?.mean], [max, delay?.max], [p99, delay?.p99]] as const) {
      if (value === undefined) family.clear();
      else family.of().set(value);
    }
  });
};
