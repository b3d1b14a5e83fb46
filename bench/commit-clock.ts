/**
 * Loaded into the server by the bench (`--import`): tells its parent when a group of writes became durable, by the clock
 * that all processes of a machine share, from the moment that it is asked to. Nothing is told, and nothing done, before.
 */
import { subscribe } from 'node:diagnostics_channel';

process.on('message', (message) => {
  if (message !== 'tell commits') return;
  subscribe('barge:commit', (revision) => process.send?.({ revision, at: Number(process.hrtime.bigint()) / 1e6 }));
});
process.channel?.unref();
