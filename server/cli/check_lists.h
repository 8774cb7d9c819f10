/*
 * check_lists.h - what the rules of server/check are told by a command's options --words and --hosts.
 */
#ifndef CLI_CHECK_LISTS_H
#define CLI_CHECK_LISTS_H

#include "server/check/check.h"
#include "server/check/lists.h"
#include "server/cli/cli.h"

enum { CHECK_HOSTS_MAX = 64 };

struct check_lists {
    struct check_context context; /* points into the rest: not to be copied */
    const struct words *lists[LISTS_MAX + 1];
    const char *hosts[CHECK_HOSTS_MAX + 1];
    int n;
};

/* An exit status; what was wrong has been said. */
int check_lists_open(const struct args *a, struct check_lists *out);
void check_lists_close(struct check_lists *l);

#endif
