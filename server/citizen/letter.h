/*
 * letter.h - a letter of a citizen to an organisation: where it stands, and until when somebody must answer it. docs/letters.md has the whole.
 *
 * What its writer says (title, text, place, how to reach him) and every text of the correspondence is sealed (seal.h), bound to the letter's
 * number `no`: columns "letter.body", "letter.contact", "letter_step.text".
 *
 * Sentences of errors in letter_*.c that a citizen causes are Chinese: the phone shows them to him.
 */
#ifndef CITIZEN_LETTER_H
#define CITIZEN_LETTER_H

#include "server/base/id.h"
#include "server/base/jx.h"
#include "server/base/work.h"
#include "server/citizen/letter_state.h"

enum {
    LETTER_TITLE_MAX = 100, /* characters */
    LETTER_TEXT_MAX = 10000,
    LETTER_WORDS_MAX = 2000, /* of what staff says beside an answer */
    LETTER_LINE_MAX = 200,   /* of a name, a phone number, an address, a place */
    LETTER_FILES = 9,
    LETTER_TOLD = 40,   /* steps */
    LETTERS_A_DAY = 20, /* of one account */
    LETTERS_A_DAY_GUEST = 5,
    LETTER_ADDS =
        50, /* to one letter by its writer, who was not asked: rules of this platform */
    LETTER_ADDS_A_DAY = 20,
    LETTER_CLOSED_AFTER = 30 * 86400, /* an answer that nobody rated, or a rating */
    LETTER_FOLLOW_DAYS = 5, /* working days, for a poor rating: a rule of this platform */
    LETTER_SOON_DAYS = 2    /* working days before the deadline, from which on it is urgent */
};

struct letter {
    int64_t no;
    struct id id;
    int64_t account; /* 0: nobody that we know */
    const char *number;
    const struct letter_kind *kind;
    int64_t unit, clerk; /* clerk 0: nobody in particular */
    enum letter_state state;
    bool hidden, public, complex;
    uint8_t hash[HASH_BYTES];
    int64_t received;
    int64_t due;       /* 0: no deadline runs */
    int64_t left_days; /* while the clock stands; -1: it was late then */
    int64_t
        complete_by; /* the second at which the time of a writer who was asked is over; 0: he is not */
    int64_t extended, asked, draft, rating, turn, settled;
    bool reviewed;
    bool
        left; /* in a list of changes: the unit has it no more, and only number and state are told */
    const char *origin;         /* NULL: it was written here */
    const char *body, *contact; /* canonical JSON objects; NULL: erased, or none */
};

struct letter_step {
    int64_t no, unit, at;
    const char *verb, *state, *actor;
    const char *text;  /* NULL: none, or erased */
    const char *files; /* {"files":[…]} that came with it, canonical; NULL likewise */
};

/* RC_NOT_FOUND. In w->mem. */
enum rc letter_by_id(struct work *w, const struct id *id, struct letter *out);
/* By its number, or its UUID as text. */
enum rc letter_find(struct work *w, const char *name, struct letter *out);
enum rc letter_by_origin(struct work *w, const char *origin, struct letter *out);
/* All, however many: for who works on it. */
enum rc letter_steps(struct work *w, const struct letter *l, struct letter_step **out, int *n);
/* RC_NOT_FOUND. Without its files. */
enum rc letter_step_one(struct work *w, const struct letter *l, int64_t no,
                        struct letter_step *out);
/* The last of all steps, or, if `verb` is not LETTER_VERBS, of that verb. RC_NOT_FOUND. Without its files. */
enum rc letter_step_last(struct work *w, const struct letter *l, enum letter_verb verb,
                         struct letter_step *out);
/* The newest that its writer is told of, the newest first, with the words that he is told; *n at most LETTER_TOLD. */
enum rc letter_steps_told(struct work *w, const struct letter *l,
                          struct letter_step out[LETTER_TOLD], int *n);

/* ---- for the other letter_*.c ---- */

struct rows;
/* Of a query's columns as letter_by_id has them. */
enum rc letter_read(struct work *w, const struct rows *q, struct letter *out);

/* ---- for them, on the writer ---- */

/* A new row under the next no, number and turn: those are set. `l` has all else, and its texts plain; no and number if letter_take_number() gave them. */
enum rc letter_insert(struct work *w, struct letter *l);
/* For one that was here before a restore: no and number that were given to it then, unless they are another's, or were never given here: then l->no stays 0. */
enum rc letter_take_number(struct work *w, struct letter *l, int64_t no, const char *number);

struct letter_act {
    enum letter_verb verb;
    const char *actor;
    const char *text;    /* NULL: none */
    const char *files;   /* {"files":[…]}, canonical; NULL: none */
    const struct id *id; /* NULL: staff's */
    int64_t at;          /* 0: now */
};
/* Writes the step and the row as it is after it, under a new turn; l->state is set by the caller. *step is its number; may be NULL. */
enum rc letter_write(struct work *w, struct letter *l, const struct letter_act *act,
                     int64_t *step);
/* RC_CONFLICT unless the verb's row allows it where the letter stands; RC_INVALID unless its text is as the row wants it. Then the state is moved. */
enum rc letter_move(struct work *w, struct letter *l, enum letter_verb verb, const char *text);
/*
 * Stops the clock, or lets it run on with the working days that were left, and waits for the writer no more. A letter that is late stays late: its clock ran out.
 */
void letter_pause(struct letter *l);
void letter_resume(struct letter *l);
/* Likewise while third parties are asked, who have `within` working days (0: no rule): `due` is theirs until letter_consulted(). */
void letter_consult(struct letter *l, int within);
void letter_consulted(struct letter *l);
bool letter_is_late(const struct letter *l);

#endif
