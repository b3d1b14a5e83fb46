/** A load of its own process, for machines that are network namespaces: calls URLs until standard input ends, then says what came of it. */
import { startLoad } from './load.ts';

const [timeoutMs, ...urls] = process.argv.slice(2);
const loads = urls.map((url) => startLoad(url, { workers: 1, timeoutMs: Number(timeoutMs) }));
process.stdin.resume().once('end', () => {
  void Promise.all(loads.map((load) => load.stop())).then((results) => {
    process.stdout.write(JSON.stringify(results.map(({ requests, failures, answers }) => ({ requests, failures, answers: [...answers] }))));
  });
});
