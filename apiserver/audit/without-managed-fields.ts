type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object, or a list of them, without managedFields; anything else as it is. */
export const withoutManagedFields = (body: unknown): unknown => {
  if (!isMembers(body)) return body;
  const items = body['items'];
  if (Array.isArray(items)) return { ...body, items: items.map(withoutManagedFields) };
  const { metadata } = body;
  if (!isMembers(metadata) || metadata['managedFields'] === undefined) return body;
  const { managedFields: _, ...rest } = metadata;
  return { ...body, metadata: rest };
};
