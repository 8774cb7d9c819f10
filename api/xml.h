/*
 * xml.h - writing XML 1.0: elements of text, and attributes, escaped.
 *
 * Names come from our own code. A character that XML cannot hold becomes U+FFFD.
 */
#ifndef API_XML_H
#define API_XML_H

#include "server/base/buf.h"

void xml_text(struct buf *out,
              const char *s); /* for content and quoted attributes; NULL is nothing */
/* <name>text</name> and a line end; nothing if text is NULL. */
void xml_element(struct buf *out, const char *name, const char *text);

#endif
