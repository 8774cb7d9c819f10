/*
 * wechat_message.c - see the header.
 */
#include "server/channel/wechat_message.h"

#include <expat.h>
#include <inttypes.h>
#include <stddef.h>

#define FIELD(depth, name, member)                           \
    {                                                        \
        depth, name, offsetof(struct wechat_message, member) \
    }

static const struct field {
    int depth; /* 2: a child of <xml> */
    const char *name;
    size_t at;
} fields[] = {
    FIELD(2, "ToUserName", to),
    FIELD(2, "FromUserName", from),
    FIELD(2, "CreateTime", created),
    FIELD(2, "MsgType", type),
    FIELD(2, "Content", content),
    FIELD(2, "MsgId", id),
    FIELD(2, "Event", event),
    FIELD(2, "EventKey", event_key),
    FIELD(2, "Encrypt", sealed),
    FIELD(3, "publish_id", publish_id), /* of <PublishEventInfo> */
};
enum { FIELDS = sizeof fields / sizeof *fields };

struct reading {
    XML_Parser parser;
    struct arena *mem;
    struct buf text;
    const struct field *field; /* that is open */
    int depth;
    bool publishes; /* <PublishEventInfo> is open */
    const char *value[FIELDS];
    const char *why; /* it is refused */
};

static void refuse(struct reading *r, const char *why)
{
    if (!r->why)
        r->why = why;
    XML_StopParser(r->parser, XML_FALSE);
}

static const struct field *find(const struct reading *r, const char *name)
{
    for (const struct field *f = fields; f < fields + FIELDS; f++)
        if (f->depth == r->depth && !strcmp(f->name, name) && (f->depth == 2 || r->publishes))
            return f;
    return NULL;
}

static void on_start(void *arg, const char *name, const char **attributes)
{
    struct reading *r = arg;

    (void)attributes;
    if (++r->depth > WECHAT_DEPTH) {
        refuse(r, "it is nested too deep");
        return;
    }
    if (r->depth == 1 && strcmp(name, "xml") != 0)
        refuse(r, "its root is not <xml>");
    if (r->depth == 2)
        r->publishes = !strcmp(name, "PublishEventInfo");
    if (r->field) {
        refuse(r, "a field holds an element");
        return;
    }
    if (!(r->field = find(r, name)))
        return;
    if (r->value[r->field - fields])
        refuse(r, "a field stands twice");
    r->text = BUF_IN(r->mem);
}

static void on_text(void *arg, const char *s, int n)
{
    struct reading *r = arg;

    if (!r->field)
        return;
    if (r->text.n + (size_t)n > WECHAT_FIELD_MAX)
        refuse(r, "a field is too long");
    else
        buf_add(&r->text, s, (size_t)n);
}

static void on_end(void *arg, const char *name)
{
    struct reading *r = arg;

    (void)name;
    if (r->field && r->depth == r->field->depth) {
        r->value[r->field - fields] = r->text.n ? r->text.p : "";
        r->field = NULL;
    }
    r->depth--;
}

static void on_doctype(void *arg, const char *name, const char *system, const char *public,
                       int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    refuse(arg, "it has a DTD");
}

enum rc wechat_message_read(struct err *e, struct arena *mem, const char *xml, size_t n,
                            struct wechat_message *out)
{
    struct reading r = { .mem = mem, .parser = XML_ParserCreate("UTF-8") };
    bool whole;

    if (n > WECHAT_XML_MAX || !r.parser) {
        XML_ParserFree(r.parser);
        return err_set(e, RC_INVALID, "the message is too long");
    }
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    whole = XML_Parse(r.parser, xml, (int)n, XML_TRUE) == XML_STATUS_OK;
    XML_ParserFree(r.parser);
    if (r.why || !whole)
        return err_set(e, RC_INVALID, "the message cannot be read: %s",
                       r.why ? r.why : "it is no well-formed XML");
    for (int i = 0; i < FIELDS; i++)
        *(const char **)((char *)out + fields[i].at) = r.value[i] ? r.value[i] : "";
    return RC_OK;
}

/* A CDATA section ends with ]]>, wherever that stands: so it is cut in two there. */
static void put_cdata(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "<%s><![CDATA[", name);
    for (const char *end; (end = strstr(text, "]]>")); text = end + 2) {
        buf_add(out, text, (size_t)(end - text) + 2);
        buf_adds(out, "]]><![CDATA[");
    }
    buf_printf(out, "%s]]></%s>", text, name);
}

void wechat_message_text(struct buf *out, const struct wechat_message *to, int64_t now,
                         const char *text)
{
    buf_adds(out, "<xml>");
    put_cdata(out, "ToUserName", to->from);
    put_cdata(out, "FromUserName", to->to);
    buf_printf(out, "<CreateTime>%" PRId64 "</CreateTime>", now);
    put_cdata(out, "MsgType", "text");
    put_cdata(out, "Content", text);
    buf_adds(out, "</xml>");
}

void wechat_message_sealed(struct buf *out, const char *sealed, const char *signature,
                           const char *timestamp, const char *nonce)
{
    buf_adds(out, "<xml>");
    put_cdata(out, "Encrypt", sealed);
    put_cdata(out, "MsgSignature", signature);
    buf_printf(out, "<TimeStamp>%s</TimeStamp>", timestamp);
    put_cdata(out, "Nonce", nonce);
    buf_adds(out, "</xml>");
}
