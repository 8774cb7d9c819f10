/*
 * tjzw_me.h - libtjzw: what belongs to the person who holds the phone. Favourites, read marks, follows, settings, letters and messages, the same on
 * all of a person's devices; what is written without a network arrives exactly once.
 *
 *     tjzw_fav(t, id, true, &e);                          // offline or not: it is written down, and shown at once
 *     tjzw_sync(t, NULL, NULL, &e);                       // exchanges it, beside the public content
 *
 *     struct tjzw_sign_in entered = { .phone = "13800138000", .code = "123456" };
 *     struct tjzw_step step;
 *     tjzw_sign_in(t, &entered, &step, &e);               // what was written before becomes the account's
 *
 * The wire is docs/protocol/state.md and auth.md. Before anybody has signed in, the phone's state is that of a guest, which the server hears of when there is
 * something to send. One person is on the phone at a time; what belongs to another is not shown, and not readable by these functions.
 *
 * Conventions, ownership and threads are those of tjzw.h. Whatever writes works without a network and returns TJZW_OK once it is on the disk; it goes out with
 * the next tjzw_me_sync, tjzw_sync or tjzw_background. Who needs the network says so. Values are JSON, UTF-8, as docs/protocol/state.md section 4 has them.
 */
#ifndef TJZW_ME_H
#define TJZW_ME_H

#include "tjzw.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- who is on this phone ---- */

struct tjzw_me {
    int64_t
        account; /* the server's number of it; 0: a guest that the server does not know yet */
    bool guest;  /* nobody has signed in */
    bool
        ended; /* the session of who was here was ended elsewhere: he may sign in again; until then this is a guest */
    uint32_t
        level; /* how surely the server knows the person: 0 a guest, 1 a phone number was proved, … 4 */
    uint64_t unsent;    /* written here and not taken by the server yet */
    uint64_t attention; /* refused, and kept until tjzw_outbox_drop */
    uint64_t unread;    /* messages that were not seen */
    int64_t checked_at; /* when an exchange last succeeded, by this device's clock; 0: never */
    int64_t due;        /* when the next exchange of tjzw_background is */
};

TJZW_API enum tjzw_code tjzw_me(struct tjzw *t, struct tjzw_me *out, struct tjzw_error *e);

enum tjzw_step_kind {
    TJZW_STEP_DONE = 0,     /* signed in */
    TJZW_STEP_FACTOR = 1,   /* a second factor: again with .totp or .passkey, and .ticket */
    TJZW_STEP_PASSWORD = 2, /* a password as well: again with .login, .password and .ticket */
    TJZW_STEP_CODE =
        3, /* strangers have guessed too often: ask for a code and sign in with it */
    TJZW_STEP_PHONE = 4, /* a phone number and a code as well, with .ticket */
};

struct tjzw_step {
    enum tjzw_step_kind kind;
    int64_t account;     /* TJZW_STEP_DONE */
    bool is_new;         /* TJZW_STEP_DONE: the account was made just now */
    uint32_t expires_in; /* seconds for which the ticket is good */
    char factors[64];    /* "totp passkey": those that the account has */
    char ticket[2048];   /* give it back with the next step */
    char passkey
        [2048]; /* JSON, for the system's passkeys (parseRequestOptionsFromJSON); "" if there is none */
};

/* Set one of: phone and code; login and password; ticket with totp or passkey. ticket besides where a step gave one. The rest is NULL. */
struct tjzw_sign_in {
    const char *phone, *code;
    const char *login, *password;
    const char *ticket, *totp;
    const char *passkey; /* JSON: what the system answered to step.passkey */
    const char *
        device; /* how the person will know this phone in the list of his devices; NULL: "手机" */
};

struct tjzw_code_sent {
    uint32_t again_in, digits, expires_in;
};

/* Has a code sent to a phone number. Needs the network. TJZW_BUSY: too often; out->again_in says when again. */
TJZW_API enum tjzw_code tjzw_ask_code(struct tjzw *t, const char *phone,
                                      struct tjzw_code_sent *out, struct tjzw_error *e);
/*
 * One step of a sign-in; needs the network. What the guest of this phone had becomes the account's. Somebody else who is signed in: TJZW_USAGE, sign out
 * first; the same account again is fine (the server wants it before an export or an erasure). TJZW_SIGN_IN: something entered is wrong, or the ticket is
 * over. TJZW_BUSY: too many guesses.
 */
TJZW_API enum tjzw_code tjzw_sign_in(struct tjzw *t, const struct tjzw_sign_in *entered,
                                     struct tjzw_step *out, struct tjzw_error *e);
/*
 * The account's entries, messages and letters leave the store, and no file of it holds them any more. What was not sent is kept for the next sign-in of the
 * same account on this phone, for 90 days, sealed. Works without a network: then the server hears of it with the next sync. A new guest begins.
 */
TJZW_API enum tjzw_code tjzw_sign_out(struct tjzw *t, struct tjzw_error *e);

/* ---- the exchange ---- */

/*
 * Sends what waits and fetches what changed; no public content. tjzw_sync and tjzw_background do it as well, if there is anything to do; its failure
 * is theirs only if nothing else failed. TJZW_SIGN_IN: the session has ended. options as for tjzw_sync (stream is of no meaning). out->records: entries that
 * came; out->changed: something new is shown.
 */
TJZW_API enum tjzw_code tjzw_me_sync(struct tjzw *t, const struct tjzw_sync_options *options,
                                     struct tjzw_sync_result *out, struct tjzw_error *e);

/*
 * `fn` is called by every later function of this handle that changes what is shown, once for each entry when it is on the disk: own writes and what an exchange brought. type and
 * key NULL: so much changed that all should be read anew. Do not call functions of this handle from it. fn NULL: no more. What other processes change is not told.
 */
typedef void tjzw_changed_fn(void *ctx, const char *type, const char *key);
TJZW_API void tjzw_on_change(struct tjzw *t, tjzw_changed_fn *fn, void *ctx);

/* ---- state ---- */

/*
 * Writes one entry, or removes it (value NULL); of the type `message` phones remove only. TJZW_USAGE: no such type, or not one that phones write, or a malformed key or value. Until the
 * server has taken it, it is shown on top of what the server says.
 */
TJZW_API enum tjzw_code tjzw_put(struct tjzw *t, const char *type, const char *key,
                                 const char *value, struct tjzw_error *e);

struct tjzw_entry {
    const char *type, *key;
    const char *value; /* JSON */
    bool pending;      /* written here, and not taken by the server yet */
};
/* Return false to see no more. */
typedef bool tjzw_entry_fn(void *ctx, const struct tjzw_entry *entry);
/* Those of a type by key, with what waits on top. key NULL: all; otherwise that one, and TJZW_NOT_FOUND if it is not there. Entries that point at public content
 * which is not held yet are not shown. */
TJZW_API enum tjzw_code tjzw_entries(struct tjzw *t, const char *type, const char *key,
                                     tjzw_entry_fn *fn, void *ctx, struct tjzw_error *e);

/* A favourite on all of a person's devices; each keeps the item as tjzw_keep does. true: TJZW_NOT_FOUND if the item is not held. */
TJZW_API enum tjzw_code tjzw_fav(struct tjzw *t, const char *id, bool fav,
                                 struct tjzw_error *e);
/* The item was read. TJZW_NOT_FOUND if it is not held. */
TJZW_API enum tjzw_code tjzw_mark_read(struct tjzw *t, const char *id, struct tjzw_error *e);
TJZW_API enum tjzw_code tjzw_is_read(struct tjzw *t, const char *id, bool *out,
                                     struct tjzw_error *e);
/*
 * Follows `key` ("column/main/12", "org/…", "area/120104", "tag/…") at this place of the order, from 0; UINT32_MAX: behind all. A key that is followed already is
 * moved. To follow no more: tjzw_put with NULL. tjzw_follows gives them in their order.
 */
TJZW_API enum tjzw_code tjzw_follow_at(struct tjzw *t, const char *key, uint32_t place,
                                       struct tjzw_error *e);
TJZW_API enum tjzw_code tjzw_follows(struct tjzw *t, tjzw_entry_fn *fn, void *ctx,
                                     struct tjzw_error *e);

/*
 * The item was opened to be read: one more in the counts of reads, if its reader agreed (tjzw_put "consent" "counts" "true"; otherwise nothing is counted, and
 * nothing is kept). A day is told of when it is over, by tjzw_sync or tjzw_background, once, and without saying who read (docs/counts.md). TJZW_NOT_FOUND if it is not held.
 */
TJZW_API enum tjzw_code tjzw_count_read(struct tjzw *t, const char *id, struct tjzw_error *e);
/* Whether an item or a guide was useful: 1 it was, -1 it was not, 0: taken back. TJZW_NOT_FOUND if it is not held. How he has voted: the entry vote/STREAM/ID. */
TJZW_API enum tjzw_code tjzw_vote(struct tjzw *t, const char *id, int useful,
                                  struct tjzw_error *e);

/* ---- what is on its way ---- */

struct tjzw_mutation {
    int64_t no; /* for tjzw_outbox_drop; grows */
    const char *type, *key;
    const char *value; /* JSON; NULL: the entry is to be removed */
    int64_t written;
    bool sent; /* it may have arrived; the next exchange finds out */
    const char *
        code; /* NULL: it waits. Otherwise why it was refused: docs/protocol/state.md section 3 */
    const char *detail; /* Chinese, for the person */
};
typedef bool tjzw_mutation_fn(void *ctx, const struct tjzw_mutation *mutation);
/* In the order written; those that need attention among them. */
TJZW_API enum tjzw_code tjzw_outbox(struct tjzw *t, tjzw_mutation_fn *fn, void *ctx,
                                    struct tjzw_error *e);
/* Forgets one that was refused, or that was never sent. TJZW_BUSY: it is on its way, sync first. TJZW_NOT_FOUND: there is none (any more). */
TJZW_API enum tjzw_code tjzw_outbox_drop(struct tjzw *t, int64_t no, struct tjzw_error *e);

/* ---- push ---- */

enum { TJZW_DEVICE = 22 /* letters of what this phone is called at the server */ };

/*
 * Tells the server where the system of this phone reaches it: a transport ("huawei", "apns" …: docs/protocol/push.md) and the token that it gave the app. To be told once a day, whenever the token is another, and after signing in or out: the server forgets it with the session by which it was told. transport NULL: it
 * is not reached any more. device may be NULL. TJZW_SIGN_IN: the server does not know this phone yet; after a tjzw_sync it does.
 */
TJZW_API enum tjzw_code tjzw_push_address(struct tjzw *t, const char *transport,
                                          const char *token, char device[TJZW_DEVICE + 1],
                                          struct tjzw_error *e);

/*
 * Where the server has it that this phone is reached, and since when it was told so last: "2026-11-21T10:00:00+08:00". TJZW_NOT_FOUND: nowhere. TJZW_SIGN_IN: it does not know this phone.
 */
struct tjzw_push_told {
    char device[TJZW_DEVICE + 1], transport[20], told[32];
};
TJZW_API enum tjzw_code tjzw_push_told(struct tjzw *t, struct tjzw_push_told *out,
                                       struct tjzw_error *e);

/* ---- letters, surveys, messages ---- */

/*
 * An action: what is done once and never merged, "letter.send", "letter.add", "letter.withdraw", "letter.rate", "letter.private", "survey.answer". value: a JSON object as docs/letters.md has it.
 * key[37] receives the UUID that the action is known by, everywhere and for ever; a letter's is the letter's.
 */
TJZW_API enum tjzw_code tjzw_act(struct tjzw *t, const char *type, const char *value,
                                 char key[37], struct tjzw_error *e);

enum tjzw_receipt_state {
    TJZW_RECEIPT_NONE = 0, /* there is no receipt on this phone */
    TJZW_RECEIPT_UNKNOWN =
        1, /* the server's key for receipts is not known yet: it comes with an exchange */
    TJZW_RECEIPT_GOOD = 2, /* signed by the server, for these words */
    TJZW_RECEIPT_BAD = 3,  /* it is not what the server signed, or for other words */
};

struct tjzw_letter {
    const char *id;
    const char
        *sent; /* JSON: what was written; NULL: on another phone, and the server has not said */
    const char *
        state; /* JSON: what became of it (docs/letters.md section 3); NULL: the server has not said */
    const char *number;  /* "ZX2026-000017"; NULL: none yet */
    const char *receipt; /* the text; NULL: none here */
    enum tjzw_receipt_state receipt_state;
    int64_t written, received; /* 0: not known */
    bool waits;                /* it is in the outbox */
    const char *code, *detail; /* it was refused: tjzw_outbox has it; NULL: it was not */
};
typedef bool tjzw_letter_fn(void *ctx, const struct tjzw_letter *letter);
/* Those that wait, those sent from here, those sent from elsewhere. */
TJZW_API enum tjzw_code tjzw_letters(struct tjzw *t, tjzw_letter_fn *fn, void *ctx,
                                     struct tjzw_error *e);

enum tjzw_survey_state {
    TJZW_SURVEY_OPEN = 0,
    TJZW_SURVEY_EARLY = 1,
    TJZW_SURVEY_CLOSED = 2,
};

struct tjzw_survey {
    const char *id, *title; /* the whole item, with its text: tjzw_read */
    const char *questions;  /* JSON: an array as docs/surveys.md has it */
    int64_t opens, closes;  /* 0: not said */
    enum tjzw_survey_state
        state; /* by this device's clock, which a signed time may move forwards */
    uint32_t
        level; /* of tjzw_me that it wants: 0 everybody, 1 who has signed in, 2 who is known by name */
    bool answered; /* by this person, here or on another device; once is all there is */
    bool waits;    /* the answer is in the outbox */
    const char *
        answers; /* JSON: what was answered on this phone; NULL: nothing, or more than 90 days ago */
    const char *code,
        *detail; /* that was refused: tjzw_outbox has it, and it may be answered again; NULL: it was not */
};
typedef bool tjzw_survey_fn(void *ctx, const struct tjzw_survey *survey);
/* Those that are held, newest first. id NULL: all; otherwise that one, and TJZW_NOT_FOUND if it is not held, or no survey. */
TJZW_API enum tjzw_code tjzw_surveys(struct tjzw *t, const char *id, tjzw_survey_fn *fn,
                                     void *ctx, struct tjzw_error *e);
/*
 * Answers one: `answers` is a JSON array as long as its questions (docs/surveys.md). TJZW_USAGE: no answer to these questions, or it is not open, or
 * answered; TJZW_NOT_FOUND as above. Until it is sent it may be taken back with tjzw_outbox_drop; then never.
 */
TJZW_API enum tjzw_code tjzw_survey_answer(struct tjzw *t, const char *id, const char *answers,
                                           struct tjzw_error *e);

/*
 * Published messages (items of kind `message`) that are for who holds the phone, newest first, with their records: for everybody, or for those who follow or live as he does (docs/inbox.md). What is for him alone is an
 * entry of the type `message`. An inbox shows both.
 */
TJZW_API enum tjzw_code tjzw_messages(struct tjzw *t, tjzw_item_fn *fn, void *ctx,
                                      struct tjzw_error *e);

/* Copies a file into the store, sealed for this person, to be sent with the next letter that names it; its SHA-256, which is the name, to hash[65]. At most 20 MB. TJZW_USAGE: it cannot
 * be read, or is too large. What no letter names within a day goes. */
TJZW_API enum tjzw_code tjzw_attach(struct tjzw *t, const char *path, char hash[65],
                                    struct tjzw_error *e);

/* ---- the account ---- */

/* All that the server knows of the person, as one JSON document, piece by piece; return false to stop. Needs the network, and a sign-in of the last ten minutes
 * (TJZW_SIGN_IN otherwise). */
typedef bool tjzw_piece_fn(void *ctx, const void *bytes, size_t n);
TJZW_API enum tjzw_code tjzw_account_export(struct tjzw *t, tjzw_piece_fn *fn, void *ctx,
                                            struct tjzw_error *e);
/* Asks for the account's erasure (true), or takes that back. *when, if not NULL: when it will be. Needs what an export needs. */
TJZW_API enum tjzw_code tjzw_account_erase(struct tjzw *t, bool erase, int64_t *when,
                                           struct tjzw_error *e);

#ifdef __cplusplus
}
#endif
#endif
