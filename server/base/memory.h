/*
 * memory.h - there is memory, or there is no process; and how much there may be.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdint.h>

/*
 * Libraries that would be told of a failed allocation and could do nothing about it (OpenSSL under libh2o, jansson) end the process instead, as
 * libh2o does. SQLite goes on: for it that is one statement that failed. First of all in main().
 */
void memory_init(void);
/* There is none: says "fatal:…:no memory" and ends by SIGABRT. The supervisor starts the server again. */
_Noreturn void memory_end(void);

/* Bytes that this process may have: the machine's, or its cgroup's memory.max (a unit's MemoryMax, a container's limit) if that is less. 0: not known. */
int64_t memory_limit(void);

#endif
