/*
 * commands.h - the functions behind the rows of server/main.c and citizen.c. Each returns the process's exit
 * code.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "server/cli/cli.h"

extern const struct command citizen_commands[]; /* citizen.c */
extern const struct command editor_commands[];  /* editor.c */
extern const struct command channel_commands[]; /* channel.c */
extern const struct opt edit_opts[];            /* of whatever is revised by a file */

/* The audit log says that a command did this beside the server; a warning if it cannot. */
void cli_note(const struct args *a, const struct conf *c, const char *action);

int cmd_serve(const struct args *a);
int cmd_upgrade(const struct args *a);
int cmd_import(const struct args *a);
int cmd_blob_put(const struct args *a);
int cmd_check_record(const struct args *a);
int cmd_export(const struct args *a);
int cmd_verify(const struct args *a);
int cmd_alerts(const struct args *a);
int cmd_doctor(const struct args *a);
int cmd_backup(const struct args *a);
int cmd_restore(const struct args *a);
int cmd_rebuild(const struct args *a);
int cmd_keys(const struct args *a);
int cmd_keys_backup(const struct args *a);
int cmd_keys_restore(const struct args *a);
int cmd_keys_list(const struct args *a);
int cmd_keys_rotate(const struct args *a);
int cmd_keys_reseal(const struct args *a);
int cmd_keys_retire(const struct args *a);
int cmd_audit_verify(const struct args *a);
int cmd_audit_export(const struct args *a);
int cmd_login(const struct args *a);
int cmd_logout(const struct args *a);
int cmd_profiles(const struct args *a);
int cmd_admin_link(const struct args *a);
int cmd_staff(const struct args *
                  a); /* site, column, item, parties …: one request to the API each (staff.c) */
int cmd_push_watch(const struct args *a);
int cmd_print_codes(const struct args *a);
int cmd_print_fields(const struct args *a);
int cmd_print_conf(const struct args *a);
int cmd_print_routes(const struct args *a);
int cmd_print_metrics(const struct args *a);
int cmd_print_openapi(const struct args *a);

extern const struct opt staff_options[][ARG_OPTS];

#endif
