import test from 'ava';
import { systemClock } from '../../../base/clock.ts';
import { SimulatedRuntime } from '../../../kubelet-lite/runtime/simulated.ts';
import { runtimeSuite } from '../../suites/runtime.ts';

runtimeSuite(test, async () => {
  const runtime = new SimulatedRuntime({ clock: systemClock });
  let count = 0;
  runtime.script('missing:1', { present: false, pullError: 'not found' });
  return {
    runtime, again: runtime, missingImage: 'missing:1', ownImage: async () => ({ image: 'own:1' }),
    program: ({ output = [], exitCode, ignoresTerm = false, cannotStart = false }) => {
      const image = `program-${count++}:1`;
      runtime.script(image, { runs: [{
        output, ignoresTerm, ...(cannotStart ? { startError: 'no such file' } : {}), ...(exitCode === undefined ? {} : { exit: { afterMs: 5, code: exitCode } }),
        exec: (command, input) => ({ stdout: command[0] === 'echo' ? `${command.slice(1).join(' ')}\n` : input, code: 0 }),
      }] });
      return { image };
    },
    close: async () => undefined,
  };
});
