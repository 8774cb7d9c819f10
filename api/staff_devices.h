/*
 * staff_devices.h - the devices at which the rights of staff count, as JSON.
 */
#ifndef API_STAFF_DEVICES_H
#define API_STAFF_DEVICES_H

#include "server/http/route.h"

extern const struct param staff_device_params[];

enum rc get_staff_devices(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_staff_device(struct work *w, const struct request *rq, struct reply *rp);
enum rc delete_staff_device(struct work *w, const struct request *rq, struct reply *rp);

#endif
