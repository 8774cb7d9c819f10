/*
 * role.h - what members of staff may do, and where: role.def, held by accounts.
 *
 * Who holds what stands in memory, changes there after the COMMIT, and counts at the next request.
 */
#ifndef IDENTITY_ROLE_H
#define IDENTITY_ROLE_H

#include "server/base/work.h"

enum role {
    ROLE_NONE,
#define ROLE(name, number, word, chinese, rights, administrator) ROLE_##name = (number),
#include "server/identity/role.def"
#undef ROLE
};

enum { ROLES_PER_ACCOUNT = 400, ROLE_WORD_MAX = 20 };

struct role_info {
    enum role role;
    const char *word, *chinese;
    unsigned rights;
    bool
        administrator; /* one of the three: of the whole server, alone, appointed on the machine */
};

/* All of them, in the order of the table. */
const struct role_info *role_all(int *n);
const struct role_info *role_find(const char *word); /* NULL if there is none */

struct holding { /* a role that somebody holds */
    int64_t account;
    const struct role_info *role;
    int64_t site; /* or EVERYWHERE */
    const char *giver;
    int64_t since;
};

enum rc role_load(struct work *w); /* reads all of them into memory */
/* Called after each change, on the writer's thread after the COMMIT: rights may have ended. NULL: nobody is. */
void role_on_change(void (*fn)(void));

/*
 * On the writer. RC_FORBIDDEN without RIGHT_SECURE, to oneself, and of an administrator's role but to the operator; RC_NOT_FOUND: there is
 * no such account; RC_CONFLICT: it is not an open account of staff, or holds what excludes this.
 */
enum rc role_grant(struct work *w, int64_t account, const struct role_info *role, int64_t site);
/* Likewise; RC_NOT_FOUND unless the account holds it there. */
enum rc role_revoke(struct work *w, int64_t account, const struct role_info *role,
                    int64_t site);
/* Of an account, or of all (0); by account. RC_FORBIDDEN without RIGHT_SECURE. In w->mem. */
enum rc role_list(struct work *w, int64_t account, struct holding **out, int *n);

/*
 * Whether whoever did something under a name of struct actor may do what one of `rights` allows at the site now: his account is not locked, left or merged, and holds the role. A
 * program's name may nothing here; the operator's everything.
 */
enum rc role_may(struct work *w, const char *name, unsigned rights, int64_t site, bool *may);

/* Any thread: adds to *who what the account may do. Scopes lie in `mem`. */
void role_apply(int64_t account, struct arena *mem, struct actor *who);

#endif
