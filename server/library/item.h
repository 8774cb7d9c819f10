/*
 * item.h - items: what is or will be published, in all its revisions.
 */
#ifndef LIBRARY_ITEM_H
#define LIBRARY_ITEM_H

#include "server/library/content.h"
#include "server/library/state.h"

enum { ITEM_PAGE_MAX = 500, ITEM_CURSOR_TEXT = 48, ITEM_NOTE_MAX = 500 };

/* Who sees what is not published: whoever writes, reviews or publishes it. */
enum { ITEM_DRAFT_RIGHTS = RIGHT_EDIT | RIGHT_REVIEW | RIGHT_PUBLISH };

struct item {
    struct id id;
    int64_t stream;
    int64_t born; /* -1: never published */
    int64_t site, col;
    enum item_kind kind;
    enum state state; /* of the newest revision */
    int64_t rev;      /* the newest revision */
    int64_t live_rev; /* the published one; 0: not published */
    int64_t seq;      /* its last change; 0: never published */
    const char *authority;
    const char *origin_id; /* NULL: none */
    uint8_t content_hash[HASH_BYTES];
    const char *title;
    const char *summary;                                /* NULL: none */
    int64_t date, published, updated, expires, created; /* seconds; 0: not yet, never */
};

struct revision {
    int64_t rev;
    enum state state;
    int64_t seq;             /* the change that published it; 0: none */
    const char *update_type; /* major, minor, republish */
    const char *note;        /* NULL: none */
    const char *author;
    int64_t created;
    struct slice content; /* canonical JSON; {NULL,0} while published: then its record is that
                             of seq */
};

struct item_event {
    int64_t rev;
    const char *verb, *before, *after, *actor, *reason;
    int64_t at;
};

/* RC_NOT_FOUND. Texts are in w->mem. */
enum rc item_find(struct work *w, const struct id *id, struct item *out);
enum rc item_by_origin(struct work *w, const char *authority, const char *origin_id,
                       struct item *out);
/*
 * What the public sees of the item: its published record's canonical bytes, in w->mem.
 * RC_NOT_FOUND if it was never published, RC_GONE if it is no longer (then out->state says why,
 * and the record is the tombstone).
 */
enum rc item_live(struct work *w, const struct id *id, struct item *out, struct slice *record);
/* One revision, with its content whatever its state. `rev` 0 is the newest. */
enum rc item_revision(struct work *w, const struct id *id, int64_t rev, struct item *item,
                      struct revision *out, struct content *content);
/* The same for whoever holds a link to it: RC_GONE once it was published and taken down. */
enum rc item_preview(struct work *w, const struct id *id, int64_t rev, struct item *item,
                     struct content *content);
/* The bytes of a revision that is or was published. RC_NOT_FOUND, RC_GONE when its bytes were
 * taken down. */
enum rc item_record(struct work *w, const struct id *id, int64_t rev, struct slice *record);
/* The bytes that the change published. RC_GONE when they were taken down, or there is no such change. */
enum rc item_record_at(struct work *w, int64_t stream, int64_t seq, struct slice *record);
/* Newest first, without content. `published`: only those the public has seen. */
enum rc item_revisions(struct work *w, const struct id *id, bool published,
                       struct revision **out, int *n);
enum rc item_events(struct work *w, const struct id *id, struct item_event **out, int *n);

/*
 * RC_FORBIDDEN for a kind that no member of staff writes, changes or takes back, whatever rights he has: warnings (relay.h). Every function here and in publish.h that changes an item asks it
 * first; the clock alone ends one.
 */
enum rc item_check_staff(struct err *e, enum item_kind kind);

struct item_new {
    int64_t site, col;
    const struct content *content;
    const char *authority; /* NULL: the stream's name */
    const char *origin_id; /* NULL: none */
};
/* A draft, revision 1. RC_CONFLICT if the origin id is taken, or site or column is closed.
 * Needs RIGHT_EDIT or RIGHT_IMPORT at the site. */
enum rc item_create(struct work *w, const struct item_new *in, struct item *out);
/*
 * A new draft beside what is published; an unpublished older one is superseded. `expected`: the
 * newest revision the editor saw, or RC_CONFLICT. `update_type` NULL is "minor".
 */
enum rc item_edit(struct work *w, const struct id *id, int64_t expected,
                  const struct content *content, const char *update_type, const char *note,
                  struct item *out);
/* submit, return, approve: moves the newest revision, which must be `rev`, along the table of
 * state.c and writes it down; an approval is one step of the chain (review.h). */
enum rc item_step(struct work *w, const struct id *id, int64_t rev, enum verb verb,
                  const char *reason, struct item *out);
/* A new draft with the content of a withdrawn or expired item's last revision. */
enum rc item_restore(struct work *w, const struct id *id, struct item *out);
/* A new draft with the content of revision `rev`, whatever the item's state but gone. RC_GONE if that text was taken down. */
enum rc item_restore_rev(struct work *w, const struct id *id, int64_t rev, struct item *out);

struct item_query {
    enum { LIST_ALL, LIST_STREAM, LIST_SITE, LIST_COLUMN } by;
    int64_t no; /* of the stream, site or column; LIST_ALL: 0 */
    int64_t since,
        until; /* date >= since and date < until; 0: no limit (laws are older than 1970) */
    int limit; /* 1 to ITEM_PAGE_MAX */
    const char *cursor; /* NULL: from the newest */
};
struct item_page {
    struct item *items; /* newest date first, ties by born, then stream; in w->mem */
    int n;
    char next[ITEM_CURSOR_TEXT]; /* "" on the last page */
};
/*
 * A page of what is published. A cursor names a place between two items, not a count, so what
 * is published meanwhile neither repeats nor hides anything. RC_INVALID for a cursor that is
 * not ours.
 */
enum rc item_list(struct work *w, const struct item_query *q, struct item_page *out);
/*
 * A page of items whose newest revision is in `state`, oldest first: those of the sites where the actor has one of
 * ITEM_DRAFT_RIGHTS. It may be short, or empty, though others follow: `next` tells.
 */
enum rc item_list_state(struct work *w, enum state state, int limit, const char *cursor,
                        struct item_page *out);

#endif
