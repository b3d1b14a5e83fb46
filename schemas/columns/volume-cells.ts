/** Short forms of the access modes, in the order in which they are shown. */
const shortModes = [['ReadWriteOnce', 'RWO'], ['ReadOnlyMany', 'ROX'], ['ReadWriteMany', 'RWX'], ['ReadWriteOncePod', 'RWOP']] as const;

/** Access modes in short: `RWO,ROX`. */
export const accessModesText = (modes: readonly string[] | undefined): string =>
  shortModes.filter(([mode]) => modes?.includes(mode) === true).map(([, short]) => short).join(',');
