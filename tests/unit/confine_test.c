/*
 * confine_test.c - what the filter refuses, in a child of the test: the filter is for good.
 *
 * Each refused call must fail with EPERM and be counted, and the child must go on. What a server needs must still be possible.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/confine.h"

static uint8_t page[4096] __attribute__((aligned(4096)));
static const struct rlimit limit = { 64, 64 };

/* A call that must be refused: its number and arguments. */
static const struct {
    const char *name;
    long no, arg[6];
} forbidden[] = {
    { "execve", SYS_execve, { (long)"/bin/true" } },
    { "execveat", SYS_execveat, { AT_FDCWD, (long)"/bin/true" } },
    { "ptrace", SYS_ptrace, { 0 } },
    { "process_vm_readv", SYS_process_vm_readv, { 1 } },
    { "process_vm_writev", SYS_process_vm_writev, { 1 } },
    { "pidfd_open", SYS_pidfd_open, { 1 } },
    { "kill", SYS_kill, { 1, 0 } },
    { "tgkill of another", SYS_tgkill, { 1, 1, 0 } },
    { "mount", SYS_mount, { 0 } },
    { "umount2", SYS_umount2, { 0 } },
    { "open_tree", SYS_open_tree, { AT_FDCWD } },
    { "pivot_root", SYS_pivot_root, { 0 } },
    { "chroot", SYS_chroot, { (long)"/" } },
    { "unshare", SYS_unshare, { CLONE_NEWUSER } },
    { "setns", SYS_setns, { 0 } },
    { "mknodat", SYS_mknodat, { AT_FDCWD } },
    { "open_by_handle_at", SYS_open_by_handle_at, { AT_FDCWD } },
    { "name_to_handle_at", SYS_name_to_handle_at, { AT_FDCWD } },
    { "bpf", SYS_bpf, { 0 } },
    { "perf_event_open", SYS_perf_event_open, { 0 } },
    { "userfaultfd", SYS_userfaultfd, { 0 } },
    { "io_uring_setup", SYS_io_uring_setup, { 1 } },
    { "init_module", SYS_init_module, { 0 } },
    { "finit_module", SYS_finit_module, { 0 } },
    { "delete_module", SYS_delete_module, { 0 } },
    { "kexec_load", SYS_kexec_load, { 0 } },
    { "reboot", SYS_reboot, { 0 } },
    { "swapon", SYS_swapon, { 0 } },
    { "settimeofday", SYS_settimeofday, { 0 } },
    { "clock_settime", SYS_clock_settime, { 0 } },
    { "syslog", SYS_syslog, { 3 } },
    { "keyctl", SYS_keyctl, { 0 } },
    { "add_key", SYS_add_key, { 0 } },
    { "request_key", SYS_request_key, { 0 } },
    { "personality", SYS_personality, { 0x0400000 } },
    { "setuid", SYS_setuid, { 0 } },
    { "setresgid", SYS_setresgid, { 0, 0, 0 } },
    { "setgroups", SYS_setgroups, { 0 } },
    { "capset", SYS_capset, { 0 } },
    { "seccomp", SYS_seccomp, { 0 } },
    { "prctl but for a name", SYS_prctl, { PR_SET_DUMPABLE, 1 } },
    { "a limit that is set", SYS_prlimit64, { 0, RLIMIT_CORE, (long)&limit } },
    { "memfd_create", SYS_memfd_create, { (long)"code" } },
    { "memory that is code",
      SYS_mmap,
      { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1 } },
    { "memory that becomes code",
      SYS_mprotect,
      { (long)page, sizeof page, PROT_READ | PROT_EXEC } },
    { "the same by a key", SYS_pkey_mprotect, { (long)page, sizeof page, PROT_EXEC, -1 } },
    { "AF_PACKET", SYS_socket, { AF_PACKET, SOCK_RAW, 0 } },
    { "AF_VSOCK", SYS_socket, { AF_VSOCK, SOCK_STREAM, 0 } },
    { "AF_ALG", SYS_socket, { AF_ALG, SOCK_SEQPACKET, 0 } },
    { "netlink but for routes", SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT } },
    { "a pair that is not local", SYS_socketpair, { AF_INET, SOCK_STREAM, 0 } },
    { "typing on a terminal", SYS_ioctl, { 0, TIOCSTI } },
#ifdef __x86_64__
    { "x32", 0x40000000L | SYS_getpid, { 0 } },
#endif
};

enum { FORBIDDEN = sizeof forbidden / sizeof *forbidden };

static int told = -1; /* where the child says what was wrong */

static bool wrong(const char *what, long result)
{
    dprintf(told, "%s: %ld (%s)\n", what, result, strerror(errno));
    return false;
}

/* Refused with `error`, and counted as often as said. */
static bool refused(const char *what, long result, int error, int counted, int64_t before)
{
    if (result != -1 || errno != error ||
        metric_get(METRIC_seccomp_refused) != before + counted)
        return wrong(what, result);
    return true;
}

static bool try_all(void)
{
    bool good = true;

    for (int i = 0; i < FORBIDDEN; i++) {
        const long *a = forbidden[i].arg;
        int64_t before = metric_get(METRIC_seccomp_refused);

        errno = 0;
        good &= refused(forbidden[i].name,
                        syscall(forbidden[i].no, a[0], a[1], a[2], a[3], a[4], a[5]), EPERM, 1,
                        before);
    }
    return good;
}

/* What libc does with all signals blocked is answered, not trapped. */
static bool try_processes(void)
{
    int64_t before = metric_get(METRIC_seccomp_refused);
    char *argv[] = { NULL };
    pid_t pid;

    errno = 0;
    return refused("fork", fork(), EPERM, 0, before) &&
           refused("a new process", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0), EPERM, 0,
                   before) &&
           refused("clone3", syscall(SYS_clone3, NULL, 0), ENOSYS, 0, before) &&
           (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, NULL) == EPERM ||
            wrong("posix_spawn", 0));
}

static void *in_thread(void *unused)
{
    (void)unused;
    return try_all() ? &told : NULL;
}

/* What the threads of a server block must not make a refusal deadly. */
static bool try_in_a_thread(void)
{
    pthread_t thread;
    void *good = NULL;
    sigset_t all;

    sigfillset(&all);
    sigdelset(&all, SIGSYS);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    if (pthread_create(&thread, NULL, in_thread, NULL))
        return wrong("a thread", -1);
    pthread_join(thread, &good);
    return good != NULL;
}

static bool try_what_is_needed(void)
{
    static const int families[][2] = { { AF_INET, SOCK_STREAM },
                                       { AF_INET6, SOCK_DGRAM },
                                       { AF_UNIX, SOCK_STREAM },
                                       { AF_NETLINK, SOCK_RAW } };
    int64_t before = metric_get(METRIC_seccomp_refused);
    struct addrinfo *found = NULL;
    FILE *f = tmpfile();

    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        int fd = socket(families[i][0], families[i][1], 0);

        if (fd < 0 && errno != EAFNOSUPPORT)
            return wrong("a socket", families[i][0]);
        close(fd);
    }
    if (!f || fputs("text", f) < 0 || fclose(f))
        return wrong("a file", -1);
    if (getaddrinfo("localhost", "443", NULL, &found))
        return wrong("localhost", -1);
    freeaddrinfo(found);
    free(malloc(64 << 20));
    return metric_get(METRIC_seccomp_refused) == before ||
           wrong("refused", metric_get(METRIC_seccomp_refused) - before);
}

/* Another thread that began before: the filter is for it too. */
static pthread_barrier_t confined;
static bool early_good;

static void *begun_before(void *unused)
{
    pthread_barrier_wait(&confined);
    early_good = try_all();
    return unused;
}

static bool confined_child(void)
{
    pthread_t early;
    struct err e = { 0 };
    const char *why;
    int calls;

    log_set_fd(-1);
    pthread_barrier_init(&confined, NULL, 2);
    if (pthread_create(&early, NULL, begun_before, NULL))
        return wrong("a thread", -1);
    confine_rights(true);
    if (confine_calls(&e, &calls, &why))
        return wrong(e.text, -1);
    pthread_barrier_wait(&confined);
    pthread_join(early, NULL);
    return calls > 50 && early_good && try_all() && try_processes() && try_what_is_needed() &&
           try_in_a_thread();
}

/* Runs it in a child; what it said, "" if all was well. */
static char *in_child(bool (*run)(void), int *status)
{
    static char said[4096];
    int ends[2];
    size_t n = 0;
    ssize_t got;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        told = ends[1];
        _exit(run() ? 0 : 1);
    }
    close(ends[1]);
    while ((got = read(ends[0], said + n, sizeof said - 1 - n)) > 0)
        n += (size_t)got;
    said[n] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, status, 0), pid);
    return said;
}

/* A build with a sanitizer, or a kernel that takes no filter, has nothing to be tested here. */
static bool unfit(void)
{
    struct err e = { 0 };
    const char *why;
    int calls;

    return confine_calls(&e, &calls, &why) || !calls;
}

static bool can(void)
{
    int status;

    in_child(unfit, &status);
    return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Some memory is left, so that it is missed in the middle. What the test does about signals is not for a server. */
static bool starved(void)
{
    const struct rlimit none = { 0 };

    signal(SIGSEGV, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    setrlimit(RLIMIT_AS, &none);
    while (malloc(16 << 10))
        ;
    return unfit();
}

static void without_memory_it_ends_and_does_not_serve_unconfined(void **state)
{
    int status;

    (void)state;
    if (!can())
        skip();
    in_child(starved, &status);
    assert_true(
        WIFSIGNALED(status)); /* by us, or within libseccomp, which uses what it did not get */
}

static void what_a_server_does_not_need_is_refused_and_counted(void **state)
{
    const char *said;
    int status;

    (void)state;
    if (!can()) {
        print_message("# no filter in this build, or on this machine\n");
        skip();
    }
    said = in_child(confined_child, &status);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fail_msg("status %x: %s", status, said);
}

static bool lone_rights(void)
{
    struct rlimit core;

    confine_rights(true);
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_DUMPABLE) == 0 &&
           !getrlimit(RLIMIT_CORE, &core) && core.rlim_max == 0;
}

static bool for_debugging(void)
{
    confine_rights(false);
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_DUMPABLE) == 1;
}

static void rights_do_not_grow_and_no_core_is_left(void **state)
{
    int status;

    (void)state;
    in_child(lone_rights, &status);
    assert_int_equal(status, 0);
    in_child(for_debugging, &status);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_server_does_not_need_is_refused_and_counted),
        cmocka_unit_test(without_memory_it_ends_and_does_not_serve_unconfined),
        cmocka_unit_test(rights_do_not_grow_and_no_core_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
