/**
 * Runs ava, with its arguments, in a process without V8's memory protection keys: its threads compile side by side, and
 * with the keys the process aborts now and then (bin/barge says more). Threads would refuse the flag, which is the process'.
 * What is compiled is kept, for every thread loads the whole program. Where nothing is named, all unit tests run, many
 * files in one thread.
 */
import process from 'node:process';

process.env['NODE_COMPILE_CACHE'] ??= new URL('../node_modules/.cache/node-compile', import.meta.url).pathname;

if (process.argv.slice(2).every((argument) => argument === '--tap')) process.argv.push('--config', 'ava.together.config.js');
process.execArgv.length = 0;
process.argv[1] = new URL('../node_modules/ava/entrypoints/cli.js', import.meta.url).pathname;
await import(process.argv[1]);
