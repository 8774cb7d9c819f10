/*
 * app.h - the process: everything built in order, torn down in reverse.
 */
#ifndef SERVER_APP_H
#define SERVER_APP_H

#include "server/base/conf.h"
#include "server/base/work.h"

struct app;

enum {
    APP_NETWORK = 1 << 0, /* listen on the configured URLs, not only on the admin socket */
    APP_DEMO = 1 << 1,    /* fill an empty library with the demo articles */
};

/*
 * Takes the data directory (making it if need be), opens the library, serves. RC_CONFLICT:
 * another process has the directory. The settings must outlive the app.
 */
enum rc app_start(struct err *e, const struct conf *c, unsigned flags, struct app **out);
/* Answers what is under way for at most `deadline_ms`, writes what is queued, closes
 * everything. Accepts NULL. */
void app_stop(struct app *a, int64_t deadline_ms);
struct conf_list app_urls(
    const struct app *a); /* what is being listened on, with the ports it really has */

bool app_is_demo(const struct app *a); /* started with APP_DEMO, over the demo articles */

#endif
