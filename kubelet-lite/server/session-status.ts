/** What a client of exec and attach is told at the end; kubectl takes its own exit code from it. */
export interface SessionStatus {
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: 'NonZeroExitCode' | 'InternalError';
  readonly details?: { readonly causes: readonly { readonly reason: 'ExitCode'; readonly message: string }[] };
  readonly code?: number;
}

export const exitStatus = (code: number): SessionStatus => (code === 0 ? { metadata: {}, status: 'Success' } : {
  metadata: {}, status: 'Failure', message: `command terminated with non-zero exit code: exit status ${code}`, reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
});

export const failureStatus = (error: unknown): SessionStatus => ({
  metadata: {}, status: 'Failure', reason: 'InternalError', message: error instanceof Error ? error.message : String(error), code: 500,
});
