/*
 * mail_row.h - the lists that mail.c keeps and mail_end.c holds against server and phones.
 */
#ifndef TESTS_SIM_MAIL_ROW_H
#define TESTS_SIM_MAIL_ROW_H

#include "tests/sim/mail.h"

/* Steps that the staff took: at least so many, at most so many. */
struct range {
    int least, most;
};

struct letter {
    int phone; /* its writer's */
    bool by_guest, certain, held, orphan, refused, told, backed_up;
    bool heard;            /* its phone shows it as taken: it does not wait there any more */
    bool away;             /* sealed on the phone, for the account of that number */
    int64_t account, gone; /* and since when */
    int64_t written,
        cut; /* cut: when a session of a guest who wrote it was last of use; it ended since */
    char id[40], number[24], before[24]; /* before: the number until the last restore */
    char *receipt;
    char value[LETTER_VALUE];
    struct range handled, then; /* then: when the backup was made */
    json_t *there;              /* what the server has in the end */
};

struct act {
    int letter, phone;
    int64_t written, account, gone;          /* as of a letter */
    bool certain, told, once, refused, away; /* once: it was told at some time */
};

struct mail {
    struct letter letter[LETTERS];
    struct act act[ACTS];
    int letters, acts, by_guests, imports;
};

/* "" if it has none. */
const char *mail_text(const json_t *o, const char *name);
struct letter *mail_by_id(struct mail *m, const char *id); /* NULL: none */
int mail_no(const struct mail *m, const struct letter *l);
/* Its writer's account as a guest may be erased by now, and its words with it. */
bool mail_is_forgotten(const struct letter *l);
/* The phone has for 90 days what was taken, whatever its clock says. */
bool mail_is_kept(int64_t written);
/* What a phone shows, as it may. NULL: it ended while it was written, and nobody heard of it yet. */
const struct letter *mail_shown(struct sim *s, const struct device *p, const json_t *o);

#endif
