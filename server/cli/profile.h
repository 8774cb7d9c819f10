/*
 * profile.h - who a member of staff is at a server, kept on his machine: $XDG_CONFIG_HOME/tjzw/profiles/NAME.json, mode 0600.
 *
 *     {"access":"tja_…","cacert":"…","ends":1763712900,"refresh":"tjr_…","server":"https://tj.example.cn"}
 *
 * NAME.known beside it, which stays when one signs out, is what the server knows this machine by, where staff may work at listed devices alone.
 *
 * A refresh token is good once, so two commands at the same time must not exchange it both: whoever finds the access token about to end takes
 * NAME.lock, reads the file again, exchanges if that is still needed, writes, lets go.
 */
#ifndef CLI_PROFILE_H
#define CLI_PROFILE_H

#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/buf.h"
#include "server/base/err.h"

/* The client_id of this command line: identity/provider.c. */
#define PROFILE_CLIENT "tjzw-cli"

struct profile {
    const char *name, *server, *access, *refresh;
    const char *known;  /* what its sign-in gave this machine to keep; NULL: nothing */
    const char *cacert; /* NULL: what this machine trusts */
    int64_t ends;       /* of the access token, seconds */
};

/* RC_INVALID: a name has 1 to 40 of a-z, 0-9, '.', '_' and '-', and begins with none of the last three. */
enum rc profile_check_name(struct err *e, const char *name);
/* The file's text; the name is not in it. RC_INVALID; texts in `mem`. */
enum rc profile_parse(struct err *e, struct arena *mem, const char *text, size_t n,
                      struct profile *out);
void profile_print(const struct profile *p, struct buf *out);
/* As it stands there. RC_NOT_FOUND. Texts in `mem`. */
enum rc profile_read(struct err *e, struct arena *mem, const char *name, struct profile *out);
/* With an access token that is good for a minute at least. RC_UNAUTHORIZED: sign in again. */
enum rc profile_open(struct err *e, struct arena *mem, const char *name, struct profile *out);
enum rc profile_write(struct err *e, struct arena *mem, const struct profile *p);
enum rc profile_remove(struct err *e, struct arena *mem, const char *name); /* RC_NOT_FOUND */
/* What is kept beside it; NULL: nothing yet. */
const char *profile_known(struct arena *mem, const char *name);
enum rc profile_keep_known(struct err *e, struct arena *mem, const struct profile *p);
/* The directory they are in. NULL: nobody says where one's settings are. */
const char *profile_directory(struct arena *mem);

/* POSTs the form `body` to the server's PATH. RC_OK whatever the status; the answer in `mem`. */
enum rc profile_post(struct err *e, struct arena *mem, const struct profile *p,
                     const char *path, const char *body, int *status, const char **answer);
/* Takes what the token endpoint answered with 200 into *p. RC_CORRUPT: it is no such answer. */
enum rc profile_take(struct err *e, struct arena *mem, const char *answer, struct profile *p);

#endif
