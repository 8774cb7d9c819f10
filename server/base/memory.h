/*
 * memory.h - there is memory, or there is no process.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

/*
 * Libraries that would be told of a failed allocation and could do nothing about it (OpenSSL under libh2o, jansson) end the process instead, as
 * libh2o does. SQLite goes on: for it that is one statement that failed. First of all in main().
 */
void memory_init(void);
/* There is none: says "fatal:…:no memory" and ends by SIGABRT. The supervisor starts the server again. */
_Noreturn void memory_end(void);

#endif
