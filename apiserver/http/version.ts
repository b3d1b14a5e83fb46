import { arch, platform } from 'node:process';
import { apiVersion, gitVersion } from '../../base/version.ts';

/** What /version says. kubectl chooses by major and minor which API it may expect. */
export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

/** The version info of barge `version` (`0.1.0`). */
export const versionInfo = (version: string): VersionInfo => ({
  ...apiVersion, gitVersion: gitVersion(version), gitCommit: '', gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z', goVersion: `node${process.versions.node}`, compiler: 'v8', platform: `${platform}/${arch === 'x64' ? 'amd64' : arch}`,
});
