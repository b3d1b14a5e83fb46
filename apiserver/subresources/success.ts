import type { ApiAnswer } from '../../schemas/api.ts';

/** The answer of a subresource that has nothing to show. */
export const success = (code: 200 | 201): ApiAnswer => ({ code, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code }, warnings: [] });
