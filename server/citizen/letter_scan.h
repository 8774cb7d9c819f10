/*
 * letter_scan.h - files of letters shown to a scanner for viruses (setting scan_socket), one after the other, on a thread that nobody waits for.
 *
 *     uploaded --> NONE, held back from staff --clean----> CLEAN, read by whoever handles the letter
 *                   ^                    |    \--infected-> INFECTED: the bytes are gone, its writer is told
 *                   \--scanner is away---/
 *
 * Without the setting nothing is scanned and nothing is held back.
 */
#ifndef CITIZEN_LETTER_SCAN_H
#define CITIZEN_LETTER_SCAN_H

#include "server/citizen/letter_file.h"

/* `where` is the setting, "": there is no scanner. Before the first request. */
enum rc letter_scan_open(struct err *e, const char *where);
/* The thread. After the writer has started. */
enum rc letter_scan_start(struct err *e, const char *db_path);
void letter_scan_stop(void); /* nothing is fine */

/* RC_GONE: it was infected. RC_CONFLICT: `for_staff`, and nobody has looked at it yet. */
enum rc letter_scan_may_read(struct work *w, const struct letter_file *f, bool for_staff);
/* "waiting", "infected"; NULL: nothing is to be said. */
const char *letter_scan_word(const struct letter_file *f);

/* How many files wait, since when the oldest does, and whether the last attempt failed. 0, 0, false without a scanner. */
enum rc letter_scan_late(struct work *w, int64_t *n, int64_t *oldest, bool *failing);

#endif
