// SPDX-License-Identifier: Apache-2.0
//
// short_calls COMMAND...: runs a program while its calls of read, pread64,
// write and pwrite64 ask for half of what they asked for, down to one byte, as
// the system is free to do. Of files only: a pipe keeps its messages whole.
// Exit code of the program; 77 where this cannot be done.

#define _GNU_SOURCE

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77 };

#if defined(__linux__) && defined(__x86_64__)

#include <sys/syscall.h>
#include <sys/user.h>

static unsigned long shortened;

// The program loader takes the begin of a library in one read or not at all.
static bool is_file(pid_t pid, unsigned long long fd)
{
    char path[64];
    char name[4096];
    struct stat info;
    (void)snprintf(path, sizeof(path), "/proc/%ld/fd/%llu", (long)pid, fd);
    const ssize_t n = readlink(path, name, sizeof(name) - 1);
    name[n > 0 ? n : 0] = '\0';
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) &&
           strstr(name, ".so") == NULL;
}

// Before the call: the third argument is how many bytes are asked for.
static void shorten(pid_t pid)
{
    struct user_regs_struct r;
    if (ptrace(PTRACE_GETREGS, pid, NULL, &r) != 0) {
        return;
    }
    const bool moves = r.orig_rax == SYS_read || r.orig_rax == SYS_pread64 ||
                       r.orig_rax == SYS_write || r.orig_rax == SYS_pwrite64;
    if (moves && r.rdx > 1 && is_file(pid, r.rdi)) {
        r.rdx = (r.rdx + 1) / 2;
        if (ptrace(PTRACE_SETREGS, pid, NULL, &r) == 0) {
            shortened++;
        }
    }
}

// Every stop of every thread until the first process has ended.
static int follow(pid_t child)
{
    for (;;) {
        int how = 0;
        const pid_t pid = waitpid(-1, &how, __WALL);
        if (pid < 0) {
            return EXIT_FAILURE;
        }
        if (WIFEXITED(how) || WIFSIGNALED(how)) {
            if (pid == child) {
                return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
            }
            continue;
        }
        int signal = WSTOPSIG(how);
        if (signal == (SIGTRAP | 0x80)) {
            struct __ptrace_syscall_info info;
            if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0 &&
                info.op == PTRACE_SYSCALL_INFO_ENTRY) {
                shorten(pid);
            }
            signal = 0;
        } else if (signal == SIGTRAP || signal == SIGSTOP) {
            signal = 0; // an event of ptrace, or a new thread
        }
        (void)ptrace(PTRACE_SYSCALL, pid, NULL, signal);
    }
}

int main(int argc, char **argv)
{
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
                         PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_EXITKILL;
    if (argc < 2) {
        return 2;
    }
    const pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
            _exit(SKIPPED);
        }
        (void)execvp(argv[1], argv + 1);
        _exit(127);
    }
    int how = 0;
    if (child < 0 || waitpid(child, &how, 0) != child || !WIFSTOPPED(how) ||
        ptrace(PTRACE_SETOPTIONS, child, NULL, options) != 0) {
        (void)fputs("processes cannot be traced\n", stderr);
        return SKIPPED;
    }
    (void)ptrace(PTRACE_SYSCALL, child, NULL, 0);
    const int code = follow(child);
    // Nothing was shown if nothing was shortened.
    return code == 0 && shortened < 10 ? EXIT_FAILURE : code;
}

#else

int main(void)
{
    (void)fputs("written for Linux on x86-64\n", stderr);
    return SKIPPED;
}

#endif
