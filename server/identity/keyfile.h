/*
 * keyfile.h - the files of DATA/keys, all of them: what each is for, and that none is missing.
 *
 * The database remembers by name which it needs, and of those that never change a fingerprint (8 bytes of a hash, which tell
 * nothing of 32 random bytes). So a directory that lost its keys is not served with new ones, under which nothing old would
 * open.
 */
#ifndef IDENTITY_KEYFILE_H
#define IDENTITY_KEYFILE_H

#include "server/base/work.h"

enum key_use { KEY_PUBLIC, KEY_FREE, KEY_HELD, KEY_FIXED };

struct keyfile_kind {
    const char *name;
    enum key_use use;
    const char *chinese, *loss;
};

enum { KEYFILE_MAX = 65536, KEYFILE_NAME = 64 };

struct keyfile {
    const struct keyfile_kind *kind;
    char name[KEYFILE_NAME];
    int64_t made; /* when it was written */
    unsigned mode;
};

/* NULL: it is none of ours. */
const struct keyfile_kind *keyfile_kind(const char *name);
/* What is in `dir`, by name; in `mem`. RC_NOT_FOUND: there is no such directory. */
enum rc keyfile_list(struct err *e, struct arena *mem, const char *dir, struct keyfile **out,
                     int *n);
/* RC_CORRUPT, with what is lost and how to get it back, unless all that is needed is there. */
enum rc keyfile_check(struct work *w, const char *dir);
/* Remembers what is there now. On the writer. */
enum rc keyfile_remember(struct work *w, const char *dir);

#endif
