/*
 * confine.c - a seccomp filter by libseccomp, made of three tables.
 *
 *     allowed       these calls, whatever they are given
 *     allowed_if    these, if one or two of their arguments are so
 *     answered      these get an error that their caller in libc understands, and are not counted
 *     all else      SECCOMP_RET_TRAP: the kernel sends SIGSYS to the thread, whose handler counts, notes the call,
 *                   and gives EPERM as its result
 *
 * The filter kills nobody: a call that we forgot must not cost a city its server. That has a price. A trapped call of
 * a thread that blocks SIGSYS does kill the process, so no thread of ours blocks it, and what libc calls while
 * it blocks all signals itself (to make a thread or a process) is either allowed or answered.
 *
 * Names are those of both processors that we know; what one does not have is passed over. Not here: the parent, which executes the
 * next program and so has no filter (supervise.h), and the file system, which systemd makes read-only (dist/).
 */
#include "server/confine.h"

#include <errno.h>
#include <execinfo.h>
#include <linux/capability.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <ucontext.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/sockios.h>
#include <seccomp.h>

#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/metric.h"

/* ---- the tables ---- */

static const struct {
    const char *why, *calls;
} allowed[] = {
    { "files that are open: database, keys, pictures, objects, the log",
      "read write readv writev pread64 pwrite64 lseek close fsync fdatasync ftruncate "
      "fallocate flock fcntl fstat fstatfs fadvise64 getdents getdents64" },
    { "files by name: what the file system and systemd let this user reach",
      "open openat stat lstat newfstatat statx statfs access faccessat faccessat2 readlink "
      "readlinkat mkdir mkdirat rmdir unlink unlinkat utimensat rename renameat renameat2 "
      "fchmod fchown "
      "umask getcwd" },
    { "memory, never executable (see below)", "brk munmap mremap madvise mlock munlock" },
    { "connections",
      "bind listen accept accept4 connect shutdown getsockname getpeername getsockopt "
      "setsockopt sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg" },
    { "waiting", "epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 "
                 "poll ppoll select pselect6 eventfd eventfd2 pipe pipe2 nanosleep "
                 "clock_nanosleep futex restart_syscall" },
    { "threads and their order of rank",
      "set_robust_list set_tid_address rseq gettid sched_yield sched_getaffinity getpriority "
      "setpriority exit exit_group" },
    { "signals among ourselves", "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigtimedwait" },
    { "the time, chance, and who and where we are",
      "clock_gettime clock_getres adjtimex clock_adjtime gettimeofday time getrandom getpid "
      "getppid getuid geteuid "
      "getgid getegid uname sysinfo getrlimit getrusage" },
};

#define IS(value) UINT32_MAX, (uint32_t)(value) /* an int: what is above it is chance */

static const struct condition {
    const char *call;
    int n; /* arguments that count */
    struct {
        unsigned no;
        uint64_t mask, value;
    } arg[2];
} allowed_if[] = {
    /* memory that is or becomes code is how strangers' code gets in */
    { "mmap", 1, { { 2, PROT_EXEC, 0 } } },
    { "mprotect", 1, { { 2, PROT_EXEC, 0 } } },
    /* a thread, not a process and not a name space */
    { "clone",
      1,
      { { 0,
          CLONE_THREAD | CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
              CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP,
          CLONE_THREAD } } },
    /* the network, the admin socket, and the question which addresses this machine has */
    { "socket", 1, { { 0, IS(AF_INET) } } },
    { "socket", 1, { { 0, IS(AF_INET6) } } },
    { "socket", 1, { { 0, IS(AF_UNIX) } } },
    { "socket", 2, { { 0, IS(AF_NETLINK) }, { 2, IS(NETLINK_ROUTE) } } },
    { "socketpair", 1, { { 0, IS(AF_UNIX) } } },
    /* what may be read, is it a terminal, the number of an interface */
    { "ioctl", 1, { { 1, IS(FIONREAD) } } },
    { "ioctl", 1, { { 1, IS(FIONBIO) } } },
    { "ioctl", 1, { { 1, IS(TCGETS) } } },
    { "ioctl", 1, { { 1, IS(SIOCGIFINDEX) } } },
    /* a thread's name; limits are read, not set */
    { "prctl", 1, { { 0, IS(PR_SET_NAME) } } },
    { "prlimit64", 1, { { 2, UINT64_MAX, 0 } } },
};

static const struct {
    const char *call;
    int error;
    uint64_t mask, value; /* of the first argument; 0, 0: whatever it is */
} answered[] = {
    { "clone3", ENOSYS, 0, 0 }, /* its flags lie in memory, where a filter does not look: libc
                                   then takes clone */
    { "clone", EPERM, CLONE_THREAD, 0 }, /* fork() */
    { "fork", EPERM, 0, 0 },
    { "vfork", EPERM, 0, 0 },
};

/* ---- what was refused ---- */

enum {
    CALLS_KNOWN = 512,
    BITS = 64,
    BY_SECCOMP = 1 /* si_code SYS_SECCOMP, which libc does not name */
};

static _Atomic uint64_t refused[CALLS_KNOWN / BITS];

#if defined __x86_64__
static void set_result(ucontext_t *at, int value)
{
    at->uc_mcontext.gregs[REG_RAX] = value;
}
#define UNFIT ""
#elif defined __aarch64__
static void set_result(ucontext_t *at, int value)
{
    at->uc_mcontext.regs[0] = (unsigned long long)(long long)value;
}
#define UNFIT ""
#else
static void set_result(ucontext_t *at, int value)
{
    (void)at, (void)value;
}
#define UNFIT "the filter does not know this kind of processor"
#endif

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__ || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef UNFIT
#define UNFIT "this build has a sanitizer, which needs calls of its own"
#endif

static void on_refused(int signal, siginfo_t *info, void *context)
{
    unsigned no = (unsigned)info->si_syscall;

    (void)signal;
    if (info->si_code != BY_SECCOMP) /* somebody sent it */
        return;
    metric_add(METRIC_seccomp_refused, 1);
    if (no < CALLS_KNOWN)
        atomic_fetch_or(&refused[no / BITS], UINT64_C(1) << no % BITS);
    set_result(context, -EPERM);
}

void confine_tick(struct db *unused, void *unused_too)
{
    (void)unused, (void)unused_too;
    for (unsigned i = 0; i < CALLS_KNOWN / BITS; i++) {
        uint64_t bits = atomic_exchange(&refused[i], 0);

        for (; bits; bits &= bits - 1) {
            int no = (int)(i * BITS) + __builtin_ctzll(bits);
            char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, no);

            LOG(LOG_WARN, "call_refused", L_STR("call", name), L_INT("number", no));
            free(name);
        }
    }
}

/* ---- rights ---- */

/* The right to open low ports is the parent's, for the next program. Root keeps what it has: its files may be others'. */
static void drop_capabilities(void)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[2] = { 0 };

    if (geteuid() == 0)
        return;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    syscall(SYS_capset, &head, none);
}

void confine_rights(bool secrets)
{
    static const struct rlimit none = { 0, 0 };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        LOG(LOG_WARN, "no_new_privs", L_STR("why", strerror(errno)));
    if (!secrets)
        return;
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0); /* a dump that is piped to a program heeds no limit */
}

/* ---- the filter ---- */

/*
 * Code that is loaded when it is first needed must be loaded now: the unwinder of back-traces, and the services behind
 * names of machines. "a..b" is no name, so nobody is asked for it, but all of them are loaded. OpenSSL
 * loaded its providers when libcurl began (main.c).
 */
static void load_code(void)
{
    struct addrinfo *found = NULL;
    void *frame[1];

    (void)backtrace(frame, 1);
    if (!getaddrinfo("a..b", "443", NULL, &found))
        freeaddrinfo(found);
}

struct filter {
    scmp_filter_ctx ctx;
    int calls;  /* that are allowed */
    int failed; /* 0 or -errno */
};

/* A rule for a call, unless this processor's kernel has none of that name. */
static bool add(struct filter *f, uint32_t action, const char *call, int n,
                const struct scmp_arg_cmp *args)
{
    int no = seccomp_syscall_resolve_name(call);

    if (no >= 0 && !f->failed)
        f->failed = seccomp_rule_add_array(f->ctx, action, no, (unsigned)n, args);
    return no >= 0;
}

static void add_allowed(struct filter *f)
{
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        char names[1024], *save = NULL;

        snprintf(names, sizeof names, "%s", allowed[i].calls);
        for (char *call = strtok_r(names, " ", &save); call; call = strtok_r(NULL, " ", &save))
            f->calls += add(f, SCMP_ACT_ALLOW, call, 0, NULL);
    }
}

static void add_conditions(struct filter *f)
{
    struct scmp_arg_cmp args[2], us = SCMP_A0(SCMP_CMP_EQ, (uint64_t)getpid());
    const char *before = "";

    for (size_t i = 0; i < sizeof allowed_if / sizeof *allowed_if; i++) {
        const struct condition *c = &allowed_if[i];

        for (int a = 0; a < c->n; a++)
            args[a] = (struct scmp_arg_cmp){ c->arg[a].no, SCMP_CMP_MASKED_EQ, c->arg[a].mask,
                                             c->arg[a].value };
        if (add(f, SCMP_ACT_ALLOW, c->call, c->n, args) && strcmp(c->call, before))
            f->calls++;
        before = c->call;
    }
    /* abort(), and the watchdog that asks a loop for its stack */
    f->calls += add(f, SCMP_ACT_ALLOW, "tgkill", 1, &us);
}

static void add_answers(struct filter *f)
{
    for (size_t i = 0; i < sizeof answered / sizeof *answered; i++) {
        struct scmp_arg_cmp first =
            SCMP_A0(SCMP_CMP_MASKED_EQ, answered[i].mask, answered[i].value);

        add(f, SCMP_ACT_ERRNO((uint16_t)answered[i].error), answered[i].call,
            answered[i].mask ? 1 : 0, &first);
    }
}

/* For all threads; a call of another architecture is refused like any other. */
static void install(struct filter *f)
{
    if (f->failed ||
        (f->failed = seccomp_attr_set(f->ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_TRAP)) ||
        (f->failed = seccomp_attr_set(f->ctx, SCMP_FLTATR_CTL_TSYNC, 1)) ||
        (f->failed = seccomp_attr_set(f->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2)))
        return;
    f->failed = seccomp_load(f->ctx);
}

enum rc confine_calls(struct err *e, int *calls, const char **why)
{
    struct sigaction action = { .sa_sigaction = on_refused,
                                .sa_flags = SA_SIGINFO | SA_RESTART };
    struct filter f = { 0 };

    *calls = 0;
    *why = UNFIT;
    drop_capabilities();
    if (**why)
        return RC_OK;
    load_code();
    sigaction(SIGSYS, &action, NULL);
    if (!(f.ctx = seccomp_init(SCMP_ACT_TRAP)))
        memory_end();
    add_allowed(&f);
    add_conditions(&f);
    add_answers(&f);
    install(&f);
    seccomp_release(f.ctx);
    if (f.failed ==
        -ENOMEM) /* the next child may have more; none shall serve unconfined for want of it */
        memory_end();
    if (f.failed)
        return err_set(e, RC_IO, "the kernel takes no filter of system calls: %s",
                       strerror(-f.failed));
    metric_set(METRIC_seccomp_allowed, f.calls);
    *calls = f.calls;
    return RC_OK;
}
