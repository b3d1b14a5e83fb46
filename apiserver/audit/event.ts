import type { UserInfo } from '../../schemas/api.ts';
import type { Status } from '../../schemas/errors.ts';

/** How much of a request is written down. */
export const levels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type Level = (typeof levels)[number];

/** The moments of a request at which an event is written. */
export const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;
export type Stage = (typeof stages)[number];

export interface ObjectRef {
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly uid?: string | undefined;
  readonly apiGroup?: string | undefined;
  readonly apiVersion: string;
  readonly resourceVersion?: string | undefined;
  readonly subresource?: string | undefined;
}

/** One line of the audit log, as audit.k8s.io/v1 has it. */
export interface AuditEvent {
  readonly kind: 'Event';
  readonly apiVersion: 'audit.k8s.io/v1';
  readonly level: Level;
  /** The same for all stages of a request. */
  readonly auditID: string;
  readonly stage: Stage;
  readonly requestURI: string;
  readonly verb: string;
  readonly user: WrittenUser;
  readonly impersonatedUser?: WrittenUser | undefined;
  readonly sourceIPs?: readonly string[] | undefined;
  readonly userAgent?: string | undefined;
  readonly objectRef?: ObjectRef | undefined;
  readonly responseStatus?: Partial<Status> | undefined;
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** A user as authentication.k8s.io/v1 writes it. */
export interface WrittenUser {
  readonly username?: string;
  readonly uid?: string | undefined;
  readonly groups?: readonly string[];
  readonly extra?: UserInfo['extra'];
}

export const writtenUser = ({ name, uid, groups, extra }: UserInfo): WrittenUser => ({ username: name, uid, groups, extra });
