/*
 * qr.c - libqrencode makes the square, this draws it.
 *
 * Around it lie four light squares: without them cameras do not find it.
 */
#include "server/base/qr.h"

#include <qrencode.h>
#include <string.h>

enum { QUIET = 4 };

static enum rc make(struct err *e, const char *text, QRcode **out)
{
    size_t n = strlen(text);

    if (!n || n > QR_TEXT_MAX)
        return err_set(e, RC_INVALID, "a QR code holds 1 to %d bytes", QR_TEXT_MAX);
    *out = QRcode_encodeData((int)n, (const unsigned char *)text, 0, QR_ECLEVEL_M);
    return *out ? RC_OK : err_errno(e, "make a QR code");
}

/* Whether it is dark there; all around it is light. */
static bool is_dark(const QRcode *q, int x, int y)
{
    if (x < 0 || y < 0 || x >= q->width || y >= q->width)
        return false;
    return q->data[y * q->width + x] & 1;
}

enum rc qr_svg(struct err *e, struct buf *out, const char *text, const char *label)
{
    QRcode *q = NULL;
    enum rc rc;
    int size;

    if ((rc = make(e, text, &q)))
        return rc;
    size = q->width + 2 * QUIET;
    buf_printf(out, "<svg class=\"qr\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", size,
               size);
    buf_html(out, label, strlen(label));
    buf_printf(out,
               "\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/>"
               "<path fill=\"#000\" d=\"",
               size, size);
    for (int y = 0; y < q->width; y++)
        for (int x = 0; x < q->width; x++)
            if (is_dark(q, x, y))
                buf_printf(out, "M%d %dh1v1h-1z", x + QUIET, y + QUIET);
    buf_adds(out, "\"/></svg>\n");
    QRcode_free(q);
    return RC_OK;
}

enum rc qr_terminal(struct err *e, struct buf *out, const char *text)
{
    static const char *const blocks[] = { " ", "▄", "▀", "█" };
    QRcode *q = NULL;
    enum rc rc;

    if ((rc = make(e, text, &q)))
        return rc;
    for (int y = -QUIET; y < q->width + QUIET; y += 2) {
        buf_adds(out, "\033[30;107m");
        for (int x = -QUIET; x < q->width + QUIET; x++)
            buf_adds(out, blocks[is_dark(q, x, y) << 1 | is_dark(q, x, y + 1)]);
        buf_adds(out, "\033[0m\n");
    }
    QRcode_free(q);
    return RC_OK;
}
