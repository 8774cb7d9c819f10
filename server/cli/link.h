/*
 * link.h - a command's way to the program that owns the data.
 *
 *     --server URL --token-file F     a server anywhere, over HTTPS, with a bearer token
 *     --profile NAME                  a server where somebody signed in (profile.h), with his rights
 *     --data DIR, a server runs       its admin socket DIR/admin.sock; being allowed to open it
 *                                     is the right to everything
 *     --data DIR, none runs           this process takes the directory's lock and is the server
 *                                     for a moment, without network
 *
 * So there is one way to change anything, the HTTP interface, whoever asks.
 */
#ifndef CLI_LINK_H
#define CLI_LINK_H

#include "server/base/conf.h"
#include "server/base/work.h"
#include "server/cli/cli.h"
#include "server/http/request.h"

struct link;

struct link_answer {
    int status;
    const char *body; /* NUL-terminated, in the arena given to link_call() */
    size_t len;
};

#define LINK_OPTIONS                                                                           \
    { "data", OPT_TEXT, "DIR", "data directory of this machine's library" },                   \
        { "server", OPT_TEXT, "URL", "a server elsewhere" },                                   \
        { "token-file", OPT_TEXT, "FILE", "key or token for --server (tjzw parties key ID)" }, \
        { "cacert", OPT_TEXT, "FILE", "certificates to trust for --server" },                  \
        { "profile", OPT_TEXT, "NAME", "a server where you signed in (tjzw login)" },          \
    {                                                                                          \
        "config", OPT_TEXT, "FILE", "settings"                                                 \
    }

/* `may_found`: a data directory without a library gets a new one; otherwise that is RC_NOT_FOUND. */
enum rc link_open(struct err *e, const struct args *a, const struct conf *c, bool may_found,
                  struct link **out);
void link_close(struct link *l); /* accepts NULL */

/*
 * What most commands are: the settings are read, a link is opened, run() is called, all is closed. The exit status. When no
 * link opens the words are cli_fail()'s, after `failed`.
 */
int link_command(const struct args *a, bool may_found, const char *failed,
                 int (*run)(const struct args *a, struct link *l, struct arena *mem));

/* One request, again after the time that a 429 or 503 asks for (at most two minutes in all); `headers` are "Name: value" lines, NULL ends them, may be NULL. RC_OK whatever
 * the status; else the server was not reached. */
enum rc link_call(struct link *l, struct err *e, struct arena *mem, enum method method,
                  const char *target, const char *const *headers, const void *body, size_t n,
                  struct link_answer *out);
/* A GET whose answer has no end: heard() as in client.h. RC_OK if heard() had enough, or the server ended it. */
enum rc link_listen(struct link *l, struct err *e, struct arena *mem, const char *target,
                    bool (*heard)(void *arg, struct buf *body_in), void *arg,
                    struct link_answer *out);
/* The err of a problem+json answer: its detail and field under the kind that the status stands
 * for. */
enum rc link_problem(struct err *e, struct arena *mem, const struct link_answer *answer);

/* The way out of what links commonly meet; NULL: none is known. */
const char *link_hint(const struct err *e);

#endif
