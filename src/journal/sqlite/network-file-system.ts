// Not by its name: an older Node has no such export, and could not even say that it is too old.
import fs from "node:fs";
import { Fault } from "../../ports/fault.ts";

/**
 * File systems whose locks or shared memory do not hold between hosts, by the `f_type` of statfs(2)
 * (linux/magic.h). SQLite's write-ahead log loses commits on them
 * (https://www.sqlite.org/wal.html, "all processes must be on the same host").
 */
const NETWORK_TYPES: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x01021997, "9P"],
  [0x00c36400, "Ceph"],
  [0x5346414f, "AFS"],
  [0x6b414653, "kAFS"],
  [0x73757245, "Coda"],
  [0x564c, "NCP"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x19830326, "BeeGFS"],
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
  [0x786f4256, "VirtualBox shared folder"],
]);

/**
 * Throws `Fault` `network_filesystem` when a folder lies on a file system of the network.
 * `readType` gives the type number of a path's file system.
 */
export function refuseNetworkFileSystem(
  folder: string,
  readType: (path: string) => number = (path) => fs.statfsSync(path).type,
): void {
  // The kernel's number is signed on some machines.
  const name = NETWORK_TYPES.get(readType(folder) >>> 0);
  if (name === undefined) return;
  throw new Fault(
    "network_filesystem",
    `a journal must lie on a local file system, ${folder} is on ${name}`,
  );
}
