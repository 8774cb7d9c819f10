/*
 * channel_tasks.h - what each account shall say, who approved it, and what became of it (docs/channels.md).
 */
#ifndef API_CHANNEL_TASKS_H
#define API_CHANNEL_TASKS_H

#include "api/channels.h"

extern const struct param channel_versions_params[], channel_version_params[],
    channel_tasks_params[], channel_task_params[];

enum rc get_channel_versions(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_channel_version(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_channel_version(struct work *w, const struct request *rq, struct reply *rp);
enum rc patch_channel_version(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_channel_approve(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_channel_return(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_channel_send(struct work *w, const struct request *rq, struct reply *rp);

enum rc get_channel_tasks(struct work *w, const struct request *rq, struct reply *rp);
enum rc get_channel_task(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_channel_cancel(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_channel_retry(struct work *w, const struct request *rq, struct reply *rp);
enum rc post_channel_resolve(struct work *w, const struct request *rq, struct reply *rp);

#endif
