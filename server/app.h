/*
 * app.h - the process: everything built in order, torn down in reverse.
 */
#ifndef SERVER_APP_H
#define SERVER_APP_H

#include "server/base/conf.h"
#include "server/base/work.h"
#include "server/http/sockets.h"

struct app;

/*
 * Takes the data directory (making it if need be), opens the library, serves. `sockets`: where it serves,
 * NULL: on the admin socket alone; their descriptors are the app's from then on. `demo`: an empty library
 * is filled with the demo articles. `again`: one before it served and died; a certificate that is no good any more keeps this one from
 * nothing, and if it cannot start it sees to the alert crash_loop first (5 s at most). RC_CONFLICT: another process has the directory. The settings must outlive
 * the app.
 */
enum rc app_start(struct err *e, const struct conf *c, const struct sockets *sockets, bool demo,
                  bool again, struct app **out);
/* Answers what is under way for at most `deadline_ms`, writes what is queued, closes
 * everything. Accepts NULL. */
void app_stop(struct app *a, int64_t deadline_ms);
/* The certificate is read again. */
enum rc app_reload(struct app *a, struct err *e);
struct conf_list app_urls(
    const struct app *a); /* what is being listened on, with the ports it really has */

bool app_is_demo(const struct app *a); /* the library holds the demo articles */

#endif
