/*
 * inbox.h - messages to one account: system notices, the progress of a letter, what a campaign says to some.
 *
 * A message is an entry of the account's own state (type `message`), so it reaches all of its devices by the exchange, whatever push could deliver, and goes from all of them when it is withdrawn, dropped or over. That it was read is an
 * entry too (`seen`). Its number is that of the change that brought it: ascending, and never used again. What is for everybody is no message: docs/inbox.md.
 */
#ifndef CITIZEN_INBOX_H
#define CITIZEN_INBOX_H

#include "server/base/id.h"
#include "server/base/work.h"
#include "server/store/db.h"

enum {
    INBOX_KEPT = 366 * 86400, /* how long a message stays, if it says nothing itself */
    INBOX_TITLE_MAX = 100,    /* characters */
    INBOX_TEXT_MAX = 2000,
    INBOX_GROUP_MAX = 80, /* bytes */
    INBOX_PAGE = 50
};

struct message {
    const char *kind; /* notice, letter, campaign */
    const char *
        group; /* what it belongs to, "letter/0190…/3": an account has at most one of a group. NULL: nothing */
    const char *title;     /* one line */
    const char *text;      /* lines of text; NULL: none */
    const struct id *item; /* the published item it points at; NULL: none */
    const char *letter;    /* or the UUID of a letter of the account's own; NULL: none */
    const char *url;       /* or an address, https; NULL: none */
    const char *sender;    /* who says it, if it is not us; NULL: we do */
    const char *
        optout; /* the key of the entry `consent` that refuses more of the kind; NULL: it cannot be refused */
    int64_t expires; /* seconds; 0: INBOX_KEPT from now */
};

/*
 * On the writer. *no (may be NULL): its number. Of a group that the account has had already nothing happens, and *no is what it was: a sender that was interrupted sends again. RC_INVALID
 * for what does not fit, RC_NOT_FOUND if there is no such account, RC_CONFLICT if the item is not published.
 */
enum rc inbox_put(struct work *w, int64_t account, const struct message *m, int64_t *no);

/* On the writer: takes at most `most` of the group's messages back, from all who have one. *n: how many; less than `most`: that was all. */
enum rc inbox_withdraw(struct work *w, const char *group, int most, int *n);

/* On the writer: two accounts have become one. What `from` has, read or not, is `into`'s under new numbers; of a group that `into` has had already nothing comes. Nothing is left of the inbox of `from`. */
enum rc inbox_move(struct work *w, int64_t from, int64_t into);

struct inbox_message {
    int64_t no, at;
    const char *kind, *title, *text, *link, *letter, *url,
        *sender; /* NULL: none; link: "STREAM/UUID" */
    bool seen;
};
/* The newest first, from below `before` (0: the newest of all); at most INBOX_PAGE. */
enum rc inbox_list(struct work *w, int64_t account, int64_t before, struct inbox_message **out,
                   int *n);
/* On the writer: what its owner does on a page. RC_NOT_FOUND. */
enum rc inbox_see(struct work *w, int64_t account, int64_t no);
/* On the writer: on a page, or by the action of a phone. What is not there is gone. */
enum rc inbox_drop(struct work *w, int64_t account, int64_t no);

/* A writer_tick: what is over goes. */
void inbox_tick(struct db *db, void *unused);

#endif
