import { flag } from './flags.ts';
import type { RequestOptions } from '../schemas/api.ts';

/** Flags of commands that change objects. */
export const changeFlags = {
  'dry-run': flag.oneOf(['none', 'client', 'server'], 'client: only print; server: let the server check without storing.', { bare: 'client', initial: 'none' }),
  'field-manager': flag.text('Name under which the server notes who set which fields.', { value: 'NAME' }),
};

export const validateFlag = flag.oneOf(['strict', 'warn', 'ignore', 'true', 'false'], 'What to do with unknown and duplicate fields.', { bare: 'strict', initial: 'strict' });

/** The options of a write. `manager` is kubectl's name for the command. */
export const writeOptions = (flags: { readonly 'dry-run': string | undefined; readonly 'field-manager': string | undefined; readonly validate?: string | undefined }, manager: string): RequestOptions => ({
  fieldManager: flags['field-manager'] ?? manager,
  ...(flags['dry-run'] === 'server' ? { dryRun: true } : {}),
  ...(flags.validate === undefined ? {} : { fieldValidation: flags.validate === 'warn' ? 'Warn' as const : flags.validate === 'ignore' || flags.validate === 'false' ? 'Ignore' as const : 'Strict' as const }),
});

/** ` (dry run)` or ` (server dry run)` behind what a command prints. */
export const dryRunSuffix = (mode: string | undefined): string => (mode === 'client' ? ' (dry run)' : mode === 'server' ? ' (server dry run)' : '');
