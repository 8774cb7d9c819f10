/*
 * epoch.h - which state of all states this is: a restore begins a new one (server/store/restore.c), so that what phones learnt after the backup cannot be mistaken
 * for what comes now.
 */
#ifndef CITIZEN_EPOCH_H
#define CITIZEN_EPOCH_H

#include "server/base/work.h"

/* In a writer job, at the start: reads it, or begins the first. */
enum rc epoch_load(struct work *w);
int64_t epoch_now(void); /* 0: not loaded */
/* How far the order of an account has come that has no state: 0, and behind a restore beyond all that it may have had in the time that was lost. */
int64_t epoch_base(void);

#endif
