import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { takeTurns } from './lanes.ts';

const place = (name: string, takes: (file: string) => boolean = () => true) => ({ name, takes });

test('each file runs once, in the first place that is free and may take it', async (t) => {
  const ran: string[] = [];
  const going = new Set<string>();
  const release = new Map<string, () => void>();
  const all = takeTurns([place('home'), place('lane', (file) => !file.startsWith('home'))], ['home-1', 'home-2', 'a', 'b', 'c'], async ({ name }, file) => {
    t.false(going.has(name), `${name} has two files at once`);
    going.add(name);
    ran.push(`${name} ${file}`);
    await new Promise<void>((resolve) => release.set(file, resolve));
    going.delete(name);
  });
  const end = async (file: string): Promise<void> => {
    release.get(file)!();
    await turn();
  };
  t.deepEqual(ran, ['home home-1', 'lane a']);
  await end('a');
  await end('b');
  t.deepEqual(ran.slice(2), ['lane b', 'lane c']);
  await end('home-1');
  await end('home-2');
  await end('c');
  await all;
  t.deepEqual(ran.slice(4), ['home home-2']);
});

test('a place that takes little leaves the rest to others', async (t) => {
  const ran: string[] = [];
  await takeTurns([place('none', () => false), place('all')], ['a', 'b'], async ({ name }, file) => void ran.push(`${name} ${file}`));
  t.deepEqual(ran, ['all a', 'all b']);
});
