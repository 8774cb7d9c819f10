/*
 * user.c - giving up root, and not writing into what belongs to others.
 */
#include "server/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/fs.h"

const char *user_name(uid_t uid, char out[64])
{
    const struct passwd *p = getpwuid(uid);

    if (p)
        snprintf(out, 64, "%s", p->pw_name);
    else
        snprintf(out, 64, "%u", (unsigned)uid);
    return out;
}

enum rc user_find(struct err *e, const char *name, struct user *out)
{
    struct user u = { .uid = geteuid(), .gid = getegid() };
    const struct passwd *p = *name ? getpwnam(name) : NULL;
    char we[64];

    if (*name && (!p || strlen(name) >= sizeof u.name))
        return err_field(e, "user", "user: nobody on this machine is called \"%.60s\"", name);
    if (p && geteuid() != 0 && geteuid() != p->pw_uid)
        return err_field(e, "user", "user: started by %s, who cannot become %s",
                         user_name(geteuid(), we), name);
    if (p) {
        snprintf(u.name, sizeof u.name, "%s", name);
        u.uid = p->pw_uid;
        u.gid = p->pw_gid;
    }
    *out = u;
    return RC_OK;
}

/* Only one that we made ourselves: what is there is somebody's, and user_owns() will say whose. */
static enum rc make_directory(struct err *e, const struct user *u, const char *data)
{
    enum rc rc;

    if (fs_exists(data))
        return RC_OK;
    if ((rc = fs_mkdirs(e, data, 0700)))
        return rc;
    return chown(data, u->uid, u->gid) ? err_errno(e, "give %s to %s", data, u->name) : RC_OK;
}

/* A root that can be had back was never given up. */
static void prove(const struct user *u)
{
    uid_t real, effective, saved;

    if (getresuid(&real, &effective, &saved) || real != u->uid || effective != u->uid ||
        saved != u->uid || getegid() != u->gid || setuid(0) == 0 || seteuid(0) == 0)
        abort();
}

enum rc user_become(struct err *e, const struct user *u, const char *data)
{
    enum rc rc;

    if (!*u->name || geteuid() != 0 || u->uid == 0)
        return RC_OK;
    if ((rc = make_directory(e, u, data)))
        return rc;
    if (initgroups(u->name, u->gid) || setresgid(u->gid, u->gid, u->gid) ||
        setresuid(u->uid, u->uid, u->uid))
        return err_errno(e, "become %s", u->name);
    prove(u);
    return RC_OK;
}

enum rc user_owns(struct err *e, const char *data)
{
    char owner[64], we[64];
    struct stat st;

    if (stat(data, &st) || st.st_uid == geteuid())
        return RC_OK; /* what is not there yet will be ours */
    user_name(st.st_uid, owner);
    user_name(geteuid(), we);
    if (geteuid() == 0)
        return err_set(e, RC_FORBIDDEN,
                       "%s belongs to %s, who could not change what root writes there: set "
                       "user: %s, or run this as runuser -u %s -- tjzw …",
                       data, owner, owner, owner);
    if (access(data, R_OK | W_OK | X_OK))
        return err_set(e, RC_FORBIDDEN,
                       "%s belongs to %s, and this process is %s: chown -R %s: %s", data, owner,
                       we, we, data);
    return RC_OK;
}
