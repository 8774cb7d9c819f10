/*
 * erase.h - an account whose owner wants to be forgotten.
 *
 *     OPEN --ask--> LEAVING --(ERASE_AFTER)--> erased: no row of it is left but what personal.def keeps, and that says no more than its number
 *              \---take back--> OPEN
 *
 * While it is leaving its owner can sign in, to think better of it; programs of others are told that it is not open.
 */
#ifndef IDENTITY_ERASE_H
#define IDENTITY_ERASE_H

#include "server/base/work.h"

/*
 * 15 days. 《App违法违规收集使用个人信息行为认定方法》（国信办秘字〔2019〕191号, in force since 2019-11-28） article 6: what its owner asked for is done within
 * 15 working days at the latest, and 15 days are never more.
 */
enum { ERASE_AFTER = 15 * 86400 };

/*
 * On the writer. What others were allowed ends at once, all sessions but the one that asks too. *due: when it will be erased. RC_CONFLICT: it is staff's or an
 * organisation's, whose administrators close it; or it is not open. Asked again, nothing changes.
 */
enum rc erase_ask(struct work *w, int64_t account, int64_t *due);
/* RC_CONFLICT: it is not leaving, or its time is over. */
enum rc erase_take_back(struct work *w, int64_t account);
/* Inside a writer job: now. RC_NOT_FOUND. */
enum rc erase_now(struct work *w, int64_t account);

/* At the start, in a writer job: what DATA/erased names and a restored backup brought back goes again. */
enum rc erase_replay(struct work *w);

struct db;
/* On the writer's thread, about once a second: once an hour those whose time is over; then what was deleted is overwritten wherever it was copied to. */
void erase_tick(struct db *db, void *unused);

#endif
