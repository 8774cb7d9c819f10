/*
 * sms.h - short messages: an HTTP request that the settings describe.
 *
 *     sms_url               where it goes, by POST
 *     sms_type              json or form
 *     sms_body              {"to":"{phone}","text":"验证码 {code}"}     to={phone}&text={code}
 *     sms_headers_secret    authorization: Bearer …                     lines of it
 *     sms_ok                what a good answer holds besides its 2xx
 *
 * {phone} is the eleven digits of a number of the mainland, + and the country's code before any other; {code} is six digits. Both are put in escaped as
 * the type says, and are digits anyway: nothing that somebody enters can become a header, a member or a parameter.
 *
 * Without sms_url nothing can be sent, but for `sms_development`: then the code stands in a line of the log.
 */
#ifndef IDENTITY_SMS_H
#define IDENTITY_SMS_H

#include "server/base/conf.h"

enum {
    SMS_FLYING_MAX = 200, /* on their way: with more, who asks is told to come again */
    SMS_TIMEOUT_MS = 5000
};

struct sms_conf {
    const char *url, *type, *body, *headers, *ok; /* "" if not set; must stay */
    const struct conf_list *countries; /* calling codes that are sent to; must stay */
    bool development;
};

/* RC_INVALID: the settings describe no request. */
enum rc sms_open(struct err *e, const struct sms_conf *c);
void sms_close(void); /* after client_stop() */
/*
 * Whether a message to this number (identifier.h's normal form) could be sent now: RC_INVALID for another country, RC_BUSY where the
 * gateway hangs or there is none. It does not look at who asks, nor at whose the number is.
 */
enum rc sms_check(struct err *e, const char *phone);
/* On any thread, after the COMMIT; waits for nobody. What cannot be sent is counted, and lost: its owner asks again. */
void sms_send(const char *phone, const char *code);

struct buf;
/* The body of such a message. */
void sms_body(struct buf *out, const struct sms_conf *c, const char *phone, const char *code);

#endif
