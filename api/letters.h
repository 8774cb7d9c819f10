/*
 * letters.h - letters of citizens, for who answers them: staff, and a unit's own system. Their writers use POST /v1/me/sync.
 */
#ifndef API_LETTERS_H
#define API_LETTERS_H

#include "server/http/route.h"

enum { LETTER_BODY_MAX = 64 * 1024, LETTER_LINES_MAX = 256 * 1024 };

extern const struct param letters_params[], letter_params[], letter_import_params[],
    template_params[], template_drop_params[];

enum rc get_letters(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_letter(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_letter_verb(struct work *w, const struct request *rq, struct reply *rp);
enum rc prepare_letters(struct work *w, struct request *rq);
enum rc post_letters(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_letter_templates(struct work *w, const struct request *rq, struct reply *rp);
enum rc put_letter_template(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_letter_template(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_letter_publish(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_receipts_key(struct work *w, const struct request *rq, struct reply *rp);

#endif
