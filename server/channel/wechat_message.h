/*
 * wechat_message.h - the XML that WeChat sends to an account's address, and what is answered. Pure.
 *
 *     <xml>
 *       <ToUserName> <FromUserName> <CreateTime> <MsgType> <Content> <MsgId> <Event> <EventKey> <Encrypt>
 *       <PublishEventInfo> <publish_id>
 *     </xml>
 *
 * Read by expat: at most WECHAT_XML_MAX bytes, no DTD and so no entities but the five, no element deeper than WECHAT_DEPTH, each of these fields once.
 * What else stands there is passed over.
 */
#ifndef CHANNEL_WECHAT_MESSAGE_H
#define CHANNEL_WECHAT_MESSAGE_H

#include "server/base/buf.h"
#include "server/base/err.h"

enum { WECHAT_XML_MAX = 65536, WECHAT_DEPTH = 6, WECHAT_FIELD_MAX = 61440 };

struct wechat_message { /* "" where it is absent */
    const char *to, *from, *created, *type, *content, *id, *event, *event_key, *sealed;
    const char *publish_id;
};

/* RC_INVALID, with an English sentence for the log that repeats nothing of it. Texts in `mem`. */
enum rc wechat_message_read(struct err *e, struct arena *mem, const char *xml, size_t n,
                            struct wechat_message *out);
/* A text that goes back to who wrote. */
void wechat_message_text(struct buf *out, const struct wechat_message *to, int64_t now,
                         const char *text);
/* The envelope around a message that was closed (wechat_close()). */
void wechat_message_sealed(struct buf *out, const char *sealed, const char *signature,
                           const char *timestamp, const char *nonce);

#endif
