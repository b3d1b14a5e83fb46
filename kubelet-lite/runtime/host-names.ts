/**
 * Gives containers of warm sandboxes their host names, from outside: a process enters the container's UTS namespace and
 * writes the name, but only where the name that the container started with stands. That name is unique, so that a process
 * number which belongs to another by now, even to the node itself, changes nothing.
 */
import { CommandFailed, type RunCommand } from '../../base/commands.ts';

/** Name that is to be there, name that is to be set. Succeeds too where it was set before. */
const script = 'f=/proc/sys/kernel/hostname; read -r h <$f; if [ "$h" = "$1" ]; then printf %s "$2" >$f; read -r h <$f; fi; [ "$h" = "$2" ]';

export interface HostnameChange {
  /** Of a process in the namespace, as this machine numbers it. */
  readonly pid: number;
  readonly from: string;
  readonly to: string;
}

/** Rejects when the process is gone, its namespace has another name, or this user may not enter it. */
export const setHostname = async (run: RunCommand, { pid, from, to }: HostnameChange): Promise<void> => {
  const result = await run('nsenter', [`--uts=/proc/${pid}/ns/uts`, '--', 'sh', '-c', script, 'sh', from, to]);
  if (result.code !== 0) throw new CommandFailed(`nsenter (host name ${to})`, result);
};
