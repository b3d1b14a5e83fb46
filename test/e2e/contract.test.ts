/** Every verb of every kubectl that is named, by its effect on a cluster whose containers are simulated. docs/design/clients.md has the list. */
import test from 'ava';
import { contract, verbsOf } from '../helpers/contract.ts';
import { E2eCluster, kubectls } from '../helpers/e2e.ts';
import { applying } from './contract/apply.ts';
import { changing } from './contract/change.ts';
import { creating } from './contract/create.ts';
import { reading } from './contract/read.ts';
import { streaming } from './contract/stream.ts';

let cluster: E2eCluster | undefined;

test.before(async () => {
  cluster = await E2eCluster.start({ args: ['--runtime', 'simulated'] });
});

test.after.always(() => cluster?.remove());

const cases = [...creating, ...reading, ...applying, ...changing];

contract(test, () => cluster!, cases);

/** Those of contract-containers.test.ts that are no tables, and the drawer of commands that may change. */
const elsewhere = ['port-forward', 'proxy', 'alpha'];

test('no verb is left out', async (t) => {
  const tested = new Set([...cases, ...streaming].flatMap(({ verb }) => verb.replace(/:.*/, '').split(/[^a-z-]+/)).concat(elsewhere));
  for (const [minor, program] of await kubectls()) {
    const verbs = await verbsOf(program);
    t.true(verbs.length > 35, `kubectl 1.${minor}: ${verbs.join(' ')}`);
    t.deepEqual(verbs.filter((verb) => !tested.has(verb)), [], `kubectl 1.${minor}`);
  }
});
