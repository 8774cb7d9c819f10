/*
 * cli.c - what all commands share: how they fail, their settings, their view of the data
 * directory.
 */
#include "server/cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "server/http/proxy.h"
#include "server/http/transfer.h"
#include "server/store/db.h"

static const int exit_codes[] = {
    [RC_OK] = 0,
    [RC_INVALID] = EX_DATAERR,
    [RC_UNAUTHORIZED] = EX_NOPERM,
    [RC_FORBIDDEN] = EX_NOPERM,
    [RC_UNLISTED] = EX_NOPERM,
    [RC_READ_ONLY] = EX_NOPERM,
    [RC_NOT_FOUND] = EX_NOINPUT,
    [RC_GONE] = EX_NOINPUT,
    [RC_CONFLICT] = EX_CANTCREAT,
    [RC_PRECONDITION] = EX_CANTCREAT,
    [RC_TOO_LARGE] = EX_DATAERR,
    [RC_UNPROCESSABLE] = EX_DATAERR,
    [RC_UNFIT] = EX_DATAERR,
    [RC_TOO_MANY] = EX_TEMPFAIL,
    [RC_BUSY] = EX_TEMPFAIL,
    [RC_FULL] = EX_IOERR,
    [RC_UNWRITABLE] = EX_IOERR,
    [RC_IO] = EX_IOERR,
    [RC_CORRUPT] = EX_DATAERR,
    [RC_INTERNAL] = EX_SOFTWARE,
};

int cli_fail(const struct err *e, const char *what, const char *mend)
{
    fprintf(stderr, "tjzw: %s: %s\n", what, e->text);
    if (mend)
        fprintf(stderr, "  %s\n", mend);
    return exit_codes[e->rc];
}

enum rc cli_settle_edge(struct err *e, struct conf *c)
{
    return *c->edge_of ? conf_set(e, c, "streams", "") : RC_OK;
}

/* What is more than a text or a number; and how others are reached, which holds for commands too. */
static enum rc check(struct err *e, const struct conf *c)
{
    const struct transfer_proxy proxy = { c->outbound_proxy, c->outbound_proxy_secret,
                                          c->outbound_direct };
    struct networks ignored;
    enum rc rc;

    if ((rc = networks_parse(e, "trusted_proxies", &c->trusted_proxies, &ignored)) ||
        (rc = networks_parse(e, "staff_networks", &c->staff_networks, &ignored)))
        return rc;
    return transfer_proxy_set(e, &proxy);
}

int cli_conf(const struct args *a, struct conf *out)
{
    const char *data = arg_text(a, "data", NULL);
    struct err e = { 0 };
    enum rc rc = conf_load(&e, arg_text(a, "config", NULL), (const char *const *)environ, out);

    if (!rc && (rc = check(&e, out)))
        conf_done(out);
    if (rc) {
        fprintf(stderr, "tjzw: settings: %s\n  all settings: tjzw print-conf\n", e.text);
        return EX_CONFIG;
    }
    if ((data && conf_set(&e, out, "data", data)) || cli_settle_edge(&e, out)) {
        conf_done(out);
        return cli_fail(&e, "settings", NULL);
    }
    return 0;
}

int cli_open_read(const char *data, struct work *out)
{
    struct err e = { 0 };
    struct db *db = NULL;
    char path[4096];

    snprintf(path, sizeof path, "%s/tjzw.db", data);
    if (db_open(&e, path, DB_READ, &db))
        return cli_fail(
            &e, "the library cannot be read",
            "name its directory with --data; a new one is made by tjzw serve or tjzw import");
    work_init(out, arena_new(), db, "operator", RIGHT_ALL);
    return 0;
}

void cli_close(struct work *w)
{
    db_close(w->db);
    arena_free(w->mem);
}
