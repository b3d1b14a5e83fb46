import { readFile } from 'node:fs/promises';
import { load, YAMLException } from 'js-yaml';
import type { Profile } from '../../scheduler/framework.ts';
import { profileOf } from '../../scheduler/profile.ts';
import { ProfileError, readProfiles } from '../../scheduler/read-profiles.ts';
import { defaultSchedulerName } from '../../scheduler/scheduler.ts';
import { CommandError } from '../command.ts';
import type { ClusterConfig } from '../config.ts';

/** The profiles that the settings ask for. Throws CommandError for a file that cannot be read, and for the first thing in it that is wrong. */
export const schedulerProfiles = async ({ schedulerConfigFile: file, schedulerStrategy }: Pick<ClusterConfig, 'schedulerConfigFile' | 'schedulerStrategy'>): Promise<ReadonlyMap<string, Profile>> => {
  if (file === undefined) return new Map([[defaultSchedulerName, profileOf(schedulerStrategy ?? 'spread')]]);
  try {
    return readProfiles(load(await readFile(file, 'utf8'), { filename: file }));
  } catch (error) {
    if (error instanceof YAMLException || error instanceof ProfileError) throw new CommandError(`--scheduler-config: ${file}: ${error.message}`, { cause: error });
    throw new CommandError(`--scheduler-config: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
};
