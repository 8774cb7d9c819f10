/*
 * letter_files.h - files that belong to letters: sent by their writers in pieces, read by them and by who handles the letter.
 */
#ifndef API_LETTER_FILES_H
#define API_LETTER_FILES_H

#include "server/http/route.h"

extern const struct param letter_file_params[];

enum rc prepare_my_blob(struct work *w, struct request *rq);
enum rc put_my_blob(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_my_blob(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_letter_file(struct work *w, const struct request *rq, struct reply *rp);

#endif
