/*
 * wechat_fuzz.c - any bytes as a message of WeChat: refused in words, or read, and then what answers it reads as it was written; and as the base64 of a sealed one.
 */
#include <stdlib.h>

#include "server/channel/wechat_crypt.h"
#include "server/channel/wechat_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void answer(struct arena *mem, const struct wechat_message *m)
{
    struct buf b = BUF_IN(mem);
    struct wechat_message back;
    struct err e;

    wechat_message_text(&b, m, 1795000000, m->content);
    if (b.n > WECHAT_XML_MAX)
        return;
    if (wechat_message_read(&e, mem, b.p, b.n, &back) ||
        strcmp(back.content, m->content) != 0 || strcmp(back.to, m->from) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint8_t key[WECHAT_KEY] = "0123456789abcdef0123456789abcde";
    struct arena *mem = arena_new();
    struct err e = { 0 };
    struct wechat_message m;
    size_t text_n;

    if (wechat_message_read(&e, mem, (const char *)data, n, &m)) {
        if (!*e.text)
            abort();
    } else {
        answer(mem, &m);
        (void)wechat_open(mem, key, "wx1", m.sealed, strlen(m.sealed), &text_n);
    }
    (void)wechat_open(mem, key, "wx1", (const char *)data, n, &text_n);
    arena_free(mem);
    return 0;
}
