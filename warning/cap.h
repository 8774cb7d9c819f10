/*
 * cap.h - a CAP 1.2 document (OASIS, urn:oasis:names:tc:emergency:cap:1.2), taken apart. Pure: what it says is looked at in rule.h, who signed it in take.h.
 *
 * Refused: a DTD, and so every entity but the five of XML; encodings but UTF-8; more than CAP_MAX bytes, CAP_DEPTH levels, CAP_ELEMENTS elements; an element twice where CAP has it once;
 * words that are not in CAP's lists; times without a zone. Elements that are not CAP's are passed over: another signature may stand in it.
 */
#ifndef WARNING_CAP_H
#define WARNING_CAP_H

#include <stdint.h>

#include "server/base/arena.h"

enum {
    CAP_MAX = 128 * 1024,
    CAP_DEPTH = 12,
    CAP_ELEMENTS = 5000,
    CAP_INFOS = 8,
    CAP_AREAS = 100, /* of one info */
    CAP_CODES = 500, /* of one area */
    CAP_REFERENCES = 50
};

/* 0: it was not said. */
enum cap_status { CAP_ACTUAL = 1, CAP_EXERCISE, CAP_SYSTEM, CAP_TEST, CAP_DRAFT };
enum cap_type { CAP_ALERT = 1, CAP_UPDATE, CAP_CANCEL, CAP_ACK, CAP_ERROR };
enum cap_scope { CAP_PUBLIC = 1, CAP_RESTRICTED, CAP_PRIVATE };

const char *cap_status_word(enum cap_status status); /* "Actual" */
const char *cap_type_word(enum cap_type type);
int cap_status_parse(const char *word); /* 0: there is none */
int cap_type_parse(const char *word);

struct cap_area {
    const char *desc;
    const char *const *codes; /* values of its geocodes, whatever they are called */
    int ncodes;
};
struct cap_info {
    const char *language; /* "zh-CN" if it does not say */
    const char *event, *urgency, *severity, *certainty;
    const char *sender_name, *headline, *description, *instruction, *web; /* NULL: none */
    int64_t effective, onset, expires;                                    /* seconds; 0: none */
    const struct cap_area *areas;
    int nareas;
};
struct cap_reference {
    const char *sender, *identifier;
    int64_t sent;
};
struct cap {
    const char *identifier, *sender;
    int64_t sent;
    enum cap_status status;
    enum cap_type type;
    enum cap_scope scope;
    const char *note; /* NULL: none */
    const struct cap_reference *references;
    int nreferences;
    const struct cap_info *infos;
    int ninfos;
};

/* All of it in `mem`. RC_INVALID or RC_TOO_LARGE says what and where, in Chinese. Texts have no control characters but \n and \t. */
enum rc cap_read(struct err *e, struct arena *mem, const char *text, size_t n, struct cap *out);
/* The info that people here read: the first in Chinese, else the first; NULL: there is none. */
const struct cap_info *cap_info_shown(const struct cap *c);

#endif
