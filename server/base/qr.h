/*
 * qr.h - a text as a square that a camera reads (ISO/IEC 18004): in a page, and in a terminal.
 */
#ifndef BASE_QR_H
#define BASE_QR_H

#include "server/base/buf.h"
#include "server/base/err.h"

enum { QR_TEXT_MAX = 600 }; /* bytes: more would be finer than a phone's camera likes */

/* An <svg> of its own size, black on white in any theme. `label` is what a screen reader says of it. RC_INVALID: too long. */
enum rc qr_svg(struct err *e, struct buf *out, const char *text, const char *label);
/* Lines of half blocks, two squares a character; they say their colours themselves, so the terminal's do not matter. */
enum rc qr_terminal(struct err *e, struct buf *out, const char *text);

#endif
