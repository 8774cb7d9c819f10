/*
 * address.h - where a device is reached: a transport and the token by which it knows the device. One a device; a token is of one device.
 */
#ifndef PUSH_ADDRESS_H
#define PUSH_ADDRESS_H

#include "push/transport.h"
#include "server/base/work.h"

struct db;

enum {
    ADDRESS_KEPT =
        270 *
        86400 /* after which a phone that said nothing has none: FCM's own measure of a stale token */
};

/*
 * On the writer: from now on the account's device is reached there, and nobody else by this token, for as long as the session lives with which w speaks (w->who.session; 0: none, and it stays).
 * RC_INVALID: the token is none of that transport. RC_UNAUTHORIZED: the session has ended meanwhile.
 */
enum rc address_tell(struct work *w, int64_t account, const char *device, enum transport by,
                     const char *token);
/* On the writer: it has none any more. RC_OK, too, if it had none. */
enum rc address_forget(struct work *w, int64_t account, const char *device);

/* Where an account's device said that it is reached, and when (seconds). RC_NOT_FOUND: it has not. */
enum rc address_mine(struct work *w, int64_t account, const char *device, enum transport *by,
                     int64_t *told);

/* The token of a device in w->mem, and when it was told last. RC_NOT_FOUND: it is not reached by that transport any more. */
enum rc address_read(struct work *w, int64_t no, enum transport by, const char **token,
                     int64_t *told);
/* When it was told last, whatever the transport. RC_NOT_FOUND. */
enum rc address_told(struct work *w, int64_t no, int64_t *told);
/* The device of a token. RC_NOT_FOUND: nobody is reached by it. */
enum rc address_find(struct work *w, enum transport by, const char *token, int64_t *no);
/* On the writer: its vendor says that there is no such device. Nothing happens if it was told again after `told`. */
enum rc address_gone(struct work *w, int64_t no, int64_t told);

/* On the writer: at most `most` devices whose owners changed something stand in the right sets again. *n less than `most`: those were all. */
enum rc address_settle(struct work *w, int most, int *n);
/* A writer_tick: the same, until nobody is left or the others have to go on. */
void address_tick(struct db *db, void *unused);
/* How many devices have traits that cannot be read. Nothing is wrong with their sets yet; they are mended when they, or their owners, say something new. Reads all of them. */
enum rc address_damaged(struct work *w, int64_t *n);

#endif
