/*
 * user.h - whose rights the process has: it begins as root to open ports below 1024, and goes on as somebody who
 * owns the data directory and nothing else.
 */
#ifndef SERVER_USER_H
#define SERVER_USER_H

#include <sys/types.h>

#include "server/base/err.h"

struct user {
    char name[64]; /* "": the setting is empty, and everything stays as it is */
    uid_t uid;
    gid_t gid;
};

/* By its name; "" is fine. RC_INVALID: nobody is called so, or we are somebody else who cannot become it. */
enum rc user_find(struct err *e, const char *name, struct user *out);
/*
 * For good: uid, gid and the groups of /etc/group, checked that there is no way back. Makes the data directory
 * first if there is none, and gives it to the user. Does nothing for "", and nothing if we are the user. Called while
 * the process has one thread.
 */
enum rc user_become(struct err *e, const struct user *u, const char *data);

/*
 * Whether we should write in a data directory that exists: it is ours. Root could write in anybody's, and leave
 * files there that its owner's server cannot change. RC_FORBIDDEN says what to do.
 */
enum rc user_owns(struct err *e, const char *data);

/* "tjzw", or "1000" for who has no name. */
const char *user_name(uid_t uid, char out[64]);

#endif
