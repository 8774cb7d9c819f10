/*
 * known.h - in memory: how far accounts and their devices have come, so that "is there anything new?" needs no database.
 *
 * Some hundred thousand places; what is not there is asked of the database and comes in. Both numbers of a place only grow, so whoever brings an older one changes nothing. For any thread.
 */
#ifndef CITIZEN_KNOWN_H
#define CITIZEN_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

struct known {
    int64_t a, b; /* an account: its seq, 0; a device: its n, and when it was heard of */
};

/* `device`: 22 characters, or NULL for the account itself. False: not known. */
bool known_get(int64_t account, const char *device, struct known *out);

/*
 * What a reader of the database finds: known_expect() before its transaction begins, known_found() with what it read. Whatever is committed in between was
 * put by the writer and is higher.
 */
void known_expect(int64_t account, const char *device);
void known_found(int64_t account, const char *device, struct known what);

/* The writer, after the COMMIT. */
void known_put(int64_t account, const char *device, struct known what);
void known_drop(int64_t account, const char *device);
void known_forget_all(void);

#endif
