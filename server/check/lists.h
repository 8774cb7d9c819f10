/*
 * lists.h - the lists of words and the hosts of the settings check_words and check_hosts, as they
 * are now.
 *
 *     lists_open() --> lists_start() --every ten seconds: a file whose time or size changed is read anew--> lists_close()
 *
 * What one has taken stays as it is until he drops it: a list is never changed, another takes its
 * place. A list that cannot be read any more leaves the one that was read before, and is told in the log.
 */
#ifndef CHECK_LISTS_H
#define CHECK_LISTS_H

#include "server/base/conf.h"
#include "server/check/check.h"

enum { LISTS_MAX = 16 };

struct lists {
    uint64_t edition;                         /* another one, another number */
    const struct words *words[LISTS_MAX + 1]; /* NULL-terminated */
    const char *const *hosts;                 /* NULL-terminated; NULL: the setting is empty */
};

/* Reads all of them. RC_INVALID, RC_NOT_FOUND … name the file. Relative paths begin at `data`. */
enum rc lists_open(struct err *e, const char *data, const struct conf_list *files,
                   const struct conf_list *hosts);
enum rc lists_start(struct err *e); /* the thread; nothing to do without a file */
void lists_close(void);             /* thread and lists; nothing open is fine */
/* One look at the files: whether a list was renewed. The thread's, and tests'. */
bool lists_renew(void);

/* From any thread. Before lists_open() there are none, and they are none of nobody's: still to be dropped. */
const struct lists *lists_take(void);
void lists_drop(const struct lists *l);

#endif
