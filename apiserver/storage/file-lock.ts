import Database from 'better-sqlite3';

/**
 * Takes a lock that one process can hold and that ends with the process, however it ends: the kernel's lock on a file
 * beside the data, through SQLite. Throws when another holds it. The returned function gives it back.
 *
 * The data file itself cannot be locked for good, because the checkpoint thread has a connection of its own.
 */
export const lockFile = (file: string): (() => void) => {
  const holder = new Database(file, { timeout: 0 });
  try {
    holder.pragma('journal_mode = memory');
    holder.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    holder.close();
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      throw new Error(`${file} is locked: another barge uses this data directory; stop it, or choose another with --data-dir`, { cause: error });
    }
    throw error;
  }
  return () => holder.close();
};
