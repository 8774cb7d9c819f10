/*
 * vendor_part.h - what the files vendor_*.c share: parts of requests, parts of answers.
 */
#ifndef PUSH_VENDOR_PART_H
#define PUSH_VENDOR_PART_H

#include "push/vendor.h"
#include "push/vendor_crypt.h"
#include "server/base/jx.h"

enum { VENDOR_WORD_MAX = 40, VENDOR_POINT_TEXT = 88 };

struct vendor_keys {
    struct arena *mem;
    struct crypt_key *apns;
    struct crypt_key *huawei;                             /* of the service account */
    const char *huawei_kid, *huawei_iss, *huawei_project; /* of it too */
    struct crypt_key *webpush;
    char webpush_point[VENDOR_POINT_TEXT]; /* base64url: what browsers subscribe with */
};

extern const struct vendor vendor_huawei, vendor_huawei_next, vendor_xiaomi, vendor_honor,
    vendor_apns, vendor_wechat, vendor_webpush, vendor_oppo, vendor_vivo;

/* A row of `needs`. */
#define VENDOR_NEED(name)                                  \
    {                                                      \
        offsetof(struct conf, name), (#name " is not set") \
    }

/* ---- requests ---- */
/* Where the vendor is: the setting push_at, else `usual`. No slash at its end. */
const char *vendor_base(const struct vendor_site *s, enum transport by, const char *usual);
/* "name: value", two texts each, NULL ends them. */
const char *const *vendor_headers(struct arena *mem, ...) __attribute__((sentinel));
/* {"a":"b"… of what was begun with {, ended with }, as the request's body. */
void vendor_body(struct vendor_request *out, const struct buf *body);
/* name=value of a form, after & unless it is the first. */
void vendor_form(struct buf *out, const char *name, const char *value);
void vendor_form_int(struct buf *out, const char *name, int64_t value);
/* "": NULL, which is left out of an object. */
const char *vendor_some(const char *text);
/* A name of at most 32 letters for what this message says: sent again it is the same, edited or taken back another. */
const char *vendor_content_id(struct arena *mem, const struct push_message *m);
/* What a message of that class is called by vendors who have copied each other's words. */
const char *vendor_category(const struct push_message *m);
/* "NAME":["…",…] of an object. */
void vendor_tokens(struct buf *out, const char *name, const char *const *tokens, int n);
/* A number above 0 that stands for a collapse id: 31 bits of its SHA-256. */
int64_t vendor_number(const char *collapse);

/* ---- answers ---- */
/* Of an access token that lasts so many seconds; false: it is none. */
bool vendor_grant_of(struct arena *mem, const char *text, int64_t lasts, int64_t now,
                     struct vendor_grant *out);
/* NULL: the body is no JSON object. */
json_t *vendor_json(struct arena *mem, const struct vendor_answer *a);
/* Of a vendor's text, what a report may show: [A-Za-z0-9_.-], at most VENDOR_WORD_MAX; else "". */
const char *vendor_word(struct arena *mem, const char *text);
void vendor_all(struct push_verdict *out, int n, enum push_verdict_kind kind, const char *why);
/* The verdicts of those whose token is `token`; false: none is. */
bool vendor_one(const char *const *tokens, const struct vendor_request *rq, const char *token,
                struct push_verdict *out, enum push_verdict_kind kind, const char *why);

/* What a code of the vendor means for all tokens of a request. */
struct vendor_code {
    const char *code; /* NULL ends the table */
    enum push_verdict_kind kind;
    enum lane_news news;
    bool grant; /* it is the grant's fault */
    const char *why;
};
/* False: there is no such row. */
bool vendor_by_code(const struct vendor_code *table, const char *code, int n,
                    struct push_verdict *out, struct vendor_heard *heard);
/*
 * By status alone: 401 the grant, 429 too fast, 503 out of service, another 5xx in doubt and failed, any other but 200 refused. True: it was not 200, and all is said.
 */
bool vendor_by_status(const struct vendor_answer *a, int n, struct push_verdict *out,
                      struct vendor_heard *heard);
/* By the code that an answer has: of the table, else refused. */
void vendor_by_number(const struct vendor_code *table, struct arena *mem, int64_t code, int n,
                      struct push_verdict *out, struct vendor_heard *heard);
/*
 * An answer whose body is JSON with a whole number under `name`: vendor_by_status(), then
 * vendor_by_number() of it. The body, for who looks further; NULL when nothing more can be said.
 */
json_t *vendor_by_body(const struct vendor_code *table, const char *name, struct arena *mem,
                       const struct vendor_answer *a, int n, struct push_verdict *out,
                       struct vendor_heard *heard);
/* An answer that nobody understands: it may have been delivered. */
void vendor_unread(int n, struct push_verdict *out, struct vendor_heard *heard);

/* ---- receipts: all false if there are too many ---- */
bool vendor_receipt_add(struct vendor_receipts *list, const char *mark, const char *token,
                        size_t n, enum vendor_receipt_kind kind);
/* Tokens with commas or spaces between them; NULL: none. */
bool vendor_receipt_add_all(struct vendor_receipts *list, const char *mark, const char *tokens,
                            enum vendor_receipt_kind kind);
/* Huawei's statuses, which are Honor's too. False, too, if it is no such thing. */
bool vendor_read_statuses(struct arena *mem, const char *body, size_t n,
                          struct vendor_receipts *out);
struct vendor_receipt_type {
    int64_t number;
    enum vendor_receipt_kind kind; /* 0 ends the table: of other numbers nothing is told */
};
/* {"MESSAGE":{"param":MARK,"targets":"TOKEN,…",TYPE:NUMBER},…}; without a number it is `otherwise`. */
bool vendor_read_messages(struct arena *mem, const char *body, size_t n, const char *type,
                          int64_t otherwise, const struct vendor_receipt_type *types,
                          struct vendor_receipts *out);
/* A field of a form, decoded; NULL: there is none, or no such text. */
const char *vendor_form_value(struct arena *mem, const char *form, const char *name);
/* Where receipts of this message are to go; NULL: nowhere. */
const char *vendor_receipts_at(const struct vendor_site *s, struct arena *mem,
                               enum transport by, const struct push_message *m);

#endif
