/*
 * name.h - what a person, a device, a second factor or a program is called: one line that looks like what it is.
 *
 * Others read it, in lists of staff, in a program that was told it, on a page that asks whether to trust it. So nothing stands in it that
 * cannot be seen and changes how the rest is read: no line's end of any kind, nothing that turns the direction of writing, nothing of no width.
 */
#ifndef IDENTITY_NAME_H
#define IDENTITY_NAME_H

#include <stdbool.h>

/* How long it may be is the caller's to say. */
bool name_is_fit(const char *text);

#endif
