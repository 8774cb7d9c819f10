/*
 * crash_shim.h - the process ends at its n-th call that changes what is in a file.
 *
 * A shared library before libc: a test links it, any other program is given it by LD_PRELOAD. It counts, over all threads, calls of
 *
 *     write pwrite fsync fdatasync ftruncate rename unlink unlinkat link
 *
 * that reach a file or a directory (a pipe and a socket are none), and at the n-th the process is
 * killed before the call or, if it writes, after half of its bytes. No later call of another thread
 * gets through. It is kill -9: what was written stays written; or, if it is to, a power cut: what was written to a file since it was synced
 * is taken away again, and names stay as they are.
 *
 *     CRASH_SHIM_AT=n     0 or absent: count only
 *     CRASH_SHIM_HALF=1   half of the bytes of that call are written
 *     CRASH_SHIM_LOSE=1   a power cut
 *     CRASH_SHIM_DEAF=1   … of a disk that says "synced" and is not
 *
 * Not seen: what stdio writes (neither we nor SQLite write files by it) and what an mmap changes. A file that
 * was created and has no bytes yet is what the call before its first write leaves.
 */
#ifndef TESTS_CRASH_SHIM_H
#define TESTS_CRASH_SHIM_H

/* Reads the environment again and counts from 0: for a process that forked. The loader does so too. */
void crash_shim_begin(void);
/* Calls so far. */
long crash_shim_calls(void);

#endif
