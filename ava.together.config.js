// All unit tests, suites and scenarios, in as few threads as go well (test/run/together.ts).
import { alone } from './test/run/groups.ts';
import unit from './ava.config.js';

export default { ...unit, files: ['test/together/*.ts', ...alone.map((file) => `test/${file}`)] };
