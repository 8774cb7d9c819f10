/*
 * party.h - a program of others: whose it is, what it may do at most, and what it is as an OpenID client.
 *
 *     test   nothing leaves us on its account
 *     team   real answers; reaches its own team alone
 *     live
 *
 * The kind stands in struct actor; what follows from it is party_reach.h's alone.
 *
 * All parties stand in memory (party_table.h), which changes after the COMMIT.
 */
#ifndef IDENTITY_PARTY_H
#define IDENTITY_PARTY_H

#include "server/base/work.h"
#include "server/identity/grant_client.h"

enum {
    PARTY_ID_MAX = 40,
    PARTY_NAME_MAX = 60, /* characters */
    PARTY_ADDRESSES = 20,
    PARTY_SECTOR_MAX = 100
};

struct party {
    int64_t no;
    const char
        *id; /* "heping": [a-z0-9][a-z0-9._-]{0,39} without "..", for it stands in addresses */
    const char *name; /* as people know it */
    int64_t owner; /* an account, of a person or an organisation; 0: whoever runs this server */
    enum party_kind kind;
    bool
        open; /* closed: none of its keys is good, until it is opened again. In memory (party_table.h) it is closed as well
                  while its owner's account is not open */
    int64_t created;
    const struct scope *rights; /* by site, EVERYWHERE among them */
    int nrights;
    struct grant_client client; /* as an OpenID client; without ways it is none */
};

const char *party_kind_name(enum party_kind kind);  /* "test" */
enum party_kind party_kind_parse(const char *name); /* PARTY_NONE if it is none */
/* "authorization_code refresh_token", of enum grant_way. False: `*bad` is a word that is none. */
bool party_ways_parse(const char *text, unsigned *out, const char **bad);
enum { PARTY_WAYS_TEXT = 100 };
const char *party_ways_text(unsigned ways, char out[PARTY_WAYS_TEXT]);

/* ---- on the writer; RC_FORBIDDEN without RIGHT_SECURE ---- */

/* Sets in->no and in->created. RC_INVALID names the field; RC_CONFLICT: the id is taken; RC_NOT_FOUND: no such owner. */
enum rc party_create(struct work *w, struct party *in);
/* Everything but id, kind and rights. */
enum rc party_edit(struct work *w, const struct party *in);
/* What it may do at a site, or EVERYWHERE; 0: nothing. What an administrator alone may do is given on the machine, SECURE never. */
enum rc party_allow(struct work *w, int64_t no, int64_t site, unsigned rights);

/* What one account owns is another's, whoever asks: they have become one. */
enum rc party_move(struct work *w, int64_t from, int64_t into);
/* Its owner, who acts for the organisation that is, or RIGHT_SECURE: it is closed, and what it got for people ends. Opened again by RIGHT_SECURE alone. */
enum rc party_stop(struct work *w, const struct party *p);
/* Memory follows an owner's state after the COMMIT: locked or leaving, none of his programs works; open again, they do. */
enum rc party_follow_owner(struct work *w, int64_t owner);
/* He is erased: his programs are closed, and what they got for people ends. His number stays, until somebody else is answerable for them. */
enum rc party_close_of_owner(struct work *w, int64_t owner);

/* ---- anywhere ---- */

/* In w->mem, by its id. RC_NOT_FOUND, also to who is neither its owner nor a security administrator. */
enum rc party_find(struct work *w, const char *id, struct party *out);
/* All, or of who has not RIGHT_SECURE his own; by id. */
enum rc party_list(struct work *w, struct party **out, int *n);

/* From memory, for the provider: as clients, where they are open and are some. */
bool party_client_by_id(struct arena *mem, const char *id, struct grant_client *out);
bool party_client_by_number(struct arena *mem, int64_t no, struct grant_client *out);

enum rc party_load(struct work *w); /* reads all of them, and their keys, into memory */
/* Called after each change, on the writer's thread after the COMMIT: keys may have ended. NULL: nobody is. */
void party_on_change(void (*fn)(void));

/* ---- for the other party_*.c ---- */

/* Whether he asks who owns it, or who may act for the organisation that does. */
bool party_is_his(struct work *w, const struct party *p);
enum rc party_by_number(struct work *w, int64_t no, struct party *out);
/* Memory follows the rows of this party after the COMMIT. */
enum rc party_changed(struct work *w, int64_t no);

#endif
