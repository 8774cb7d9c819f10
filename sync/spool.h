/*
 * spool.h - bodies on their way to the pull engine, as files in a folder of their own: what was fetched
 * before a cut or a kill is not fetched again. For phones and for mirrors.
 *
 * Nothing here is synced to the disk or trusted: a power cut may leave holes, and the engine proves
 * what it reads. One process at a time writes into a folder; others may ask for its size.
 */
#ifndef SYNC_SPOOL_H
#define SYNC_SPOOL_H

#include "sync/follow.h"

enum { SPOOL_DIR_MAX = 1024 };

/* `dir`: the folder, shorter than SPOOL_DIR_MAX, which stays as long as the callbacks are used. It is made
 * when it is first written to, and gone when nothing is left; so is its parent. */
struct follow_parts spool_parts(const char *dir);

/* Drops all. */
void spool_drop(const char *dir);
/* Bytes that lie there. */
uint64_t spool_bytes(const char *dir);

#endif
