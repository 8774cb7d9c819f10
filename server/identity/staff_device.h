/*
 * staff_device.h - at which devices the rights of staff count.
 *
 *     no list               at all of them
 *     a list for all sites  at those that stand on it
 *     a list for a site     roles that were given for this site count at those that stand on it, or on the one for all
 *
 * A list begins with its first device and ends with its last. A device is a browser, or a profile of the command line: what it keeps of who
 * signed in there (device_slip.h) has its number, and so has every session that is opened from it. Programs (party.h) have keys and
 * no device; they are bound to networks alone.
 *
 * Nobody locks himself out: the list for all sites begins with the device of whoever begins it, and he cannot take that off while others stand on it.
 * The operator, on the machine, may do both, and is bound by no list.
 */
#ifndef IDENTITY_STAFF_DEVICE_H
#define IDENTITY_STAFF_DEVICE_H

#include "server/base/work.h"

/* A device's number for people: 16 characters. */
#define STAFF_DEVICE_NAME "%016" PRIx64

enum { STAFF_DEVICES_MAX = 10000, STAFF_DEVICE_NAME_MAX = 60, STAFF_DEVICES_SHOWN = 200 };

struct staff_device {
    int64_t site; /* or EVERYWHERE */
    uint64_t machine;
    const char *name, *giver;
    int64_t since;
};

/* Staff are signed in at it, and it stands on no list. */
struct staff_waiting {
    uint64_t machine;
    int64_t account, used;
    const char *device; /* what it calls itself: "Firefox · Windows" */
};

enum rc staff_device_load(struct work *w); /* reads all of them into memory */
/* Called after each change, on the writer's thread after the COMMIT: rights may have ended. NULL: nobody is. */
void staff_device_on_change(void (*fn)(void));

/* Any thread: *who asks from that device; takes from him what does not count there. Scopes lie in `mem`. */
void staff_device_judge(uint64_t machine, struct arena *mem, struct actor *who);
/* Whether any right of staff counts at it. */
bool staff_device_counts(uint64_t machine);

/*
 * On the writer; all want RIGHT_OPERATE. RC_CONFLICT: it stands there already, the list is full, or who begins or shortens it would be locked out.
 */
enum rc staff_device_add(struct work *w, const struct staff_device *d);
enum rc staff_device_remove(struct work *w, int64_t site, uint64_t machine); /* RC_NOT_FOUND */

/* By site and number; and, the first of them, by number. In w->mem. */
enum rc staff_device_list(struct work *w, struct staff_device **out, int *n);
enum rc staff_device_waiting(struct work *w, struct staff_waiting **out, int *n);

#endif
