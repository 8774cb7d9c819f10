/*
 * websub_flight.h - a request to a callback. The hub's thread only; the outbound thread brings it home.
 */
#ifndef WEBSUB_FLIGHT_H
#define WEBSUB_FLIGHT_H

#include "server/http/client.h"
#include "server/websub/websub_letter.h"
#include "server/websub/websub_save.h"

enum {
    FLIGHT_MOST = 256,  /* under way */
    FLIGHT_OF_HOST = 16 /* … to one host */
};

struct flight {
    struct flight *next;
    struct arena *mem;
    struct client_request rq;
    struct sub *sub; /* or: */
    struct ask *ask;
    struct letter *letter;
    bool failing; /* of who failed before */
    const char *headers[4];
    char challenge[WEBSUB_CHALLENGE + 1];
};

/* `stir` is called on the outbound thread when one landed. */
void flight_open(bool private_net, void (*stir)(void *));
struct flight *flight_new(void);
/* False: nothing goes out now; it is freed. Else its host has one more under way. */
bool flight_launch(struct flight *f, struct host *host);
/* Those that landed; their hosts have one less each. */
struct flight *flight_landed(void);
void flight_free(struct flight *f);
int flight_count(void);

#endif
