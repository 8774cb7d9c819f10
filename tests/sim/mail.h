/*
 * mail.h - letters: what was written, and whether server and phones agree on it.
 */
#ifndef TESTS_SIM_MAIL_H
#define TESTS_SIM_MAIL_H

#include <jansson.h>

#include "tests/sim/sim.h"

enum { LETTERS = 18, ACTS = 32, LETTER_VALUE = 600 };

struct mail *mail_new(void);
void mail_free(struct mail *m);

/* ---- what is written ---- */

/* The number of a letter that this phone is to write; -1: enough were written. */
int mail_letter(struct sim *s, const struct device *p);
/* A file of it, to be freed. */
char *mail_file(struct sim *s, int letter, int file, size_t size);
/* It says that. Whether it came about: mail_wrote(). */
void mail_writes(struct sim *s, int letter, const char *value);
void mail_wrote(struct sim *s, int letter, const char *id);
/* The number of something that is done to the letter of that id, and then that it was; -1: enough was done. */
int mail_act(struct sim *s, const struct device *p, const char *id);
void mail_acted(struct sim *s, int act);
bool mail_knows(struct sim *s, const char *id);
/* "" until somebody was told of it; of an imported one its number. */
const char *mail_id(struct sim *s, int letter);

/* ---- what the staff do ---- */

/* The number of a letter that they are to import, often one that they have imported; -1: enough were. */
int mail_import(struct sim *s);
void mail_import_line(struct sim *s, int letter, char *out, size_t room);
void mail_imported(struct sim *s, int letter, const char *number); /* the server said so */
int mail_pick(struct sim *s); /* a letter that the server has surely; -1: there is none */
void mail_handled(struct sim *s, int letter, bool surely);
void mail_backed_up(struct sim *s);
void mail_restored(struct sim *s);

/* "L3" as 3; -1 if it is none of `kind` below that. */
int mail_number(const char *text, char kind, int below);

/* ---- what is seen ---- */

/* True: it is none of the entries that folk.c looks after. */
bool mail_is_its(const char *type);
void mail_asked(struct sim *s, const struct device *p, const json_t *mutation);
/* False: it is none of ours. */
bool mail_result(struct sim *s, const json_t *mutation, const json_t *result);
/*
 * Its owner goes, who had that account, and what the phone has of his is sealed; `ended`: not by himself, so that it keeps what was taken as well. The owner of
 * that account comes, and it is his again. His session is over, which was last of use at that time.
 */
void mail_leaves(struct sim *s, const struct device *p, int64_t account, bool ended);
void mail_returns(struct sim *s, const struct device *p, int64_t account);
void mail_cut(struct sim *s, const struct device *p, int64_t since);
/* What a phone shows at any time: a JSON object a line. */
void mail_look(struct sim *s, const struct device *p, const char *letters);
/* When all has been exchanged: what the server has, and then whether each phone shows that. */
void mail_audit(struct sim *s);
void mail_settled(struct sim *s, const struct device *p, const char *entries,
                  const char *letters);

#endif
