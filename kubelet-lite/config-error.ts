/** A container or volume cannot be made from its spec; shown in the pod's status with these words, and tried again later. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** True when the spec asks for something that this node will never do. */
  readonly unsupported: boolean;

  constructor(message: string, unsupported = false) {
    super(message);
    this.unsupported = unsupported;
  }
}

/** The error for a field that is understood and not provided. */
export const unsupported = (what: string): ConfigError => new ConfigError(`${what} is not supported by this node`, true);

/** A volume of the pod cannot be made: none of its containers is started. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
  /** True when this node will never have such a volume. */
  readonly unsupported: boolean;

  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.unsupported = cause instanceof ConfigError && cause.unsupported;
  }
}
