/* phone.h - what the files of tjzw-phone share. */
#ifndef TJZW_PHONE_H
#define TJZW_PHONE_H

#include "clients/c/tjzw.h"

/* Prints an item for people: title, what is known about it, text. */
void phone_show(const struct tjzw_item *item);

#endif
