import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { load, YAMLException } from 'js-yaml';
import { AuditLog } from '../../apiserver/audit/audit-log.ts';
import { Auditor } from '../../apiserver/audit/auditor.ts';
import { defaultPolicy, PolicyError, readPolicy, type AuditPolicy } from '../../apiserver/audit/policy.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics/metrics.ts';
import type { AuditConfig } from '../config.ts';

export interface Audit {
  readonly auditor: Auditor;
  /** Writes what waits and closes the file. */
  close(): Promise<void>;
}

const policyIn = async (file: string): Promise<AuditPolicy> => {
  try {
    return readPolicy(load(await readFile(file, 'utf8')));
  } catch (error) {
    if (error instanceof PolicyError || error instanceof YAMLException) throw new Error(`--audit-policy: ${file}: ${error.message}`, { cause: error });
    throw error;
  }
};

/** Opens the audit log as the settings say. Rejects when the file cannot be written or the policy cannot be read. */
export const openAudit = async ({ file, policyFile, maxBytes, maxBackups }: AuditConfig, { clock, random, log, metrics }: { readonly clock: Clock; readonly random: () => number; readonly log: Log; readonly metrics: Metrics }): Promise<Audit> => {
  const policy = policyFile === undefined ? defaultPolicy : await policyIn(policyFile);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const sink = await AuditLog.open({ file, maxBytes, maxBackups, log, metrics });
  return { auditor: new Auditor({ policy, sink, clock, random, metrics }), close: () => sink.close() };
};
