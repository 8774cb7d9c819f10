/*
 * person.h - a person of this phone: the row, his session, and transactions over what belongs to him. Inside libtjzw only.
 */
#ifndef TJZW_PERSON_H
#define TJZW_PERSON_H

#include "clients/c/store.h"
#include "clients/c/tjzw_me.h"
#include "sync/state.h"

enum person_state {
    PERSON_HERE = 1,    /* on this phone now; one at most */
    PERSON_ADOPTED = 2, /* a guest whom an account takes over at the server, when it is here */
    PERSON_LEAVING = 3, /* gone from here; the server is to be told */
    PERSON_AWAY = 4     /* gone; what was not sent is kept, sealed */
};

enum { TOKEN_MAX = 256, CURSOR_MAX = 128, KEEP_S = 90 * 86400 };

struct person {
    int64_t no; /* 0: there is none */
    enum person_state state;
    int64_t account; /* 0: a guest that no server knows yet */
    bool guest, ended;
    uint32_t level;
    char url[512], cacert[512]; /* of the server that gave the tokens; they go nowhere else */
    char access[TOKEN_MAX], refresh[TOKEN_MAX], known[TOKEN_MAX];
    char device[STATE_DEVICE + 1];
    int64_t next_n, acked;
    char cursor[CURSOR_MAX];
    int64_t round;
    bool resetting;
    int64_t checked, tried, gone;
    uint32_t poll, failures;
};

/*
 * Runs a statement that gives no rows. `types` has a letter for each value that follows: i an int64_t, t a text (NULL: null), b bytes and their size_t.
 */
enum tjzw_code store_do(struct tjzw *t, struct tjzw_error *e, enum stmt which,
                        const char *types, ...);
/* The same, ready to be stepped; NULL: `e` is set. */
sqlite3_stmt *store_bound(struct tjzw *t, struct tjzw_error *e, enum stmt which,
                          const char *types, ...);
/* Whether it gives a row; false if it cannot be asked, too. */
bool store_any(struct tjzw *t, enum stmt which, const char *types, ...);
/* Steps once: *any whether there is a row. Reset it in either case. */
enum tjzw_code store_step(struct tjzw *t, sqlite3_stmt *q, bool *any, struct tjzw_error *e);

/* A transaction that survives the battery's end once it is committed: what a person writes cannot be fetched again, and a token that the server has exchanged must not be lost. */
enum tjzw_code person_begin(struct tjzw *t, struct tjzw_error *e);
/* Commits if rc is TJZW_OK, else rolls back; tells of what changed (entries.h). Gives rc, or why it could not be committed. */
enum tjzw_code person_end(struct tjzw *t, enum tjzw_code rc, struct tjzw_error *e);

/* out->no 0: nobody is here yet. */
enum tjzw_code person_here(struct tjzw *t, struct person *out, struct tjzw_error *e);
/* In a transaction: whoever is here, or a guest that begins now. */
enum tjzw_code person_or_guest(struct tjzw *t, struct person *out, struct tjzw_error *e);
enum tjzw_code person_get(struct tjzw *t, int64_t no, struct person *out, struct tjzw_error *e);
/* The next of a state behind `after`; out->no 0: no more. */
enum tjzw_code person_next(struct tjzw *t, enum person_state state, int64_t after,
                           struct person *out, struct tjzw_error *e);
/* The next guest that this account takes over, likewise. */
enum tjzw_code person_next_guest(struct tjzw *t, int64_t account, int64_t after,
                                 struct person *out, struct tjzw_error *e);
/* In a transaction: writes a new one; state, account, guest, ended, level, url, cacert, tokens count. Sets no and device. */
enum tjzw_code person_add(struct tjzw *t, struct person *p, struct tjzw_error *e);
/* In a transaction: another device, under which all that waits is numbered anew. */
enum tjzw_code person_new_device(struct tjzw *t, struct person *p, struct tjzw_error *e);
/*
 * In a transaction: takes all that belongs to the person who is here out of the store, but for what was not sent, which stays sealed. `ended`: the server has ended
 * the session; otherwise it is to be told. What a guest leaves whose session ended becomes the next guest's.
 */
enum tjzw_code person_leave(struct tjzw *t, struct person *p, bool ended, struct tjzw_error *e);
/* In a transaction: what was sealed for this account becomes `to`'s again. */
enum tjzw_code person_return(struct tjzw *t, const struct person *to, struct tjzw_error *e);
/*
 * In a transaction: all that `from` has becomes what `to` writes now, and `from` is no more. What the server alone writes of letters and surveys is shown on, as
 * it was last; messages go.
 */
enum tjzw_code person_rewrite(struct tjzw *t, const struct person *from,
                              const struct person *to, struct tjzw_error *e);
/* In a transaction: what waits for the server moves, but for what is said of messages by their number, which is another message of the other person's. */
enum tjzw_code person_hand_over(struct tjzw *t, int64_t from, int64_t to, struct tjzw_error *e);
/* In a transaction: the row and all that hangs on it. */
enum tjzw_code person_forget(struct tjzw *t, int64_t no, struct tjzw_error *e);
/* In a transaction: what is older than 90 days. */
enum tjzw_code person_weed(struct tjzw *t, struct tjzw_error *e);
/* When his next exchange may be, by this device's clock. */
int64_t person_due(const struct person *p, int64_t now);

#endif
