// SPDX-License-Identifier: Apache-2.0
//
// A program in a process of its own, between two pipes.
//
// The program and what it starts form a process group, so that all of it can be
// ended. Every wait has a limit: the ends of the pipes here do not block, and
// poll() waits for them. A program that dies while bytes are written to it must
// not end the caller by SIGPIPE, and the library may not change the caller's
// signal handlers; so the calling thread blocks this signal while it writes and
// takes back the one that it caused itself.

#define _GNU_SOURCE // pipe2(), environ

#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NAME_SIZE = 100, SHELL_CANNOT_RUN = 126, SHELL_NOT_FOUND = 127 };

static const double patience = 2; // seconds for a program to end by itself

struct wsr__process {
    pid_t pid; // 0: has ended and is reaped
    int to;    // end of the pipe to its standard input, -1: closed
    int from;
    char name[NAME_SIZE];
};

static void close_end(int *end)
{
    if (*end >= 0) {
        (void)close(*end);
        *end = -1;
    }
}

// ------------------------------------------------------------------ its start

// Where the caller has closed a standard stream, a new pipe could get its
// number; the child would then lose it when its own streams are set.
static wsr_status above_standard_streams(int *end)
{
    if (*end > STDERR_FILENO) {
        return WSR_OK;
    }
    const int higher = fcntl(*end, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (higher < 0) {
        return wsr__fail_errno("pipe", errno);
    }
    (void)close(*end);
    *end = higher;
    return WSR_OK;
}

// ends[0] is read from, ends[1] is written to; no other program inherits them.
static wsr_status make_pipe(int ends[2])
{
    wsr_status status = WSR_OK;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        ends[0] = ends[1] = -1;
        return wsr__fail_errno("pipe", errno);
    }
    WSR_TRY(above_standard_streams(&ends[0]));
    WSR_TRY(above_standard_streams(&ends[1]));
out:
    return status;
}

// The program begins with the usual signals, whatever the caller has blocked
// or ignores, and in a process group of its own.
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGINT);
    sigaddset(&usual, SIGTERM);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    error = error != 0 ? error
                       : posix_spawnattr_setsigdefault(attributes, &usual);
    error = error != 0 ? error : posix_spawnattr_setpgroup(attributes, 0);
    return error != 0 ? error
                      : posix_spawnattr_setflags(attributes,
                                                 POSIX_SPAWN_SETSIGMASK |
                                                     POSIX_SPAWN_SETSIGDEF |
                                                     POSIX_SPAWN_SETPGROUP);
}

// A command that only /bin/sh understands. Others are started directly: a shell
// in between would keep the pipes open and hide how the program ended.
static bool needs_shell(const char *command)
{
    return command[strcspn(command, "|&;<>()$`\\\"'*?[]#~=%!{}\n")] != '\0';
}

// Cuts a command at its blanks. [out, owned] arguments, NULL-ended
static char **words_of(char *command)
{
    const size_t most = strlen(command) / 2 + 2;
    char **const words = wsr__alloc(most, sizeof(*words));
    size_t n = 0;
    for (char *at = command; words != NULL && *at != '\0';) {
        const size_t blanks = strspn(at, " \t");
        at[0] = blanks > 0 ? '\0' : at[0];
        at += blanks;
        const size_t length = strcspn(at, " \t");
        words[n] = at;
        n += length > 0;
        at += length;
    }
    if (words != NULL) {
        words[n] = NULL;
    }
    return words;
}

// Numbers of errors as posix_spawn() returns them, 0: none.
static int spawn_between(pid_t *pid, char *const *words, int input, int output)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        return error;
    }
    error = posix_spawnattr_init(&attributes);
    if (error != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    error = set_attributes(&attributes);
    error = error != 0 ? error
                       : posix_spawn_file_actions_adddup2(&actions, input,
                                                          STDIN_FILENO);
    error = error != 0 ? error
                       : posix_spawn_file_actions_adddup2(&actions, output,
                                                          STDOUT_FILENO);
    error = error != 0 ? error
                       : posix_spawnp(pid, words[0], &actions, &attributes,
                                      words, environ);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}

static wsr_status not_found(const wsr__process *p)
{
    return WSR_FAIL(WSR_NOTFOUND,
                    "%s: there is no such program, or it cannot be run",
                    p->name);
}

static wsr_status spawn(wsr__process *p, const char *command, int input,
                        int output)
{
    static char shell[] = "/bin/sh";
    static char option[] = "-c";
    wsr_status status = WSR_NOMEM;
    char *const copy = wsr__strdup(command);
    char *through_shell[] = {shell, option, copy, NULL};
    char **const words = copy == NULL || needs_shell(command) ? NULL
                                                              : words_of(copy);
    if (copy == NULL || (words == NULL && !needs_shell(command))) {
        goto out;
    }
    if (words != NULL && words[0] == NULL) {
        status = not_found(p);
        goto out;
    }
    const int error = spawn_between(
        &p->pid, words != NULL ? words : through_shell, input, output);
    p->pid = error != 0 ? 0 : p->pid;
    status = error == 0 ? WSR_OK
             : error == ENOENT || error == EACCES || error == ENOTDIR
                 ? not_found(p)
                 : wsr__fail_errno(p->name, error);
out:
    wsr__free(words);
    wsr__free(copy);
    return status;
}

static void set_name(wsr__process *p, const char *command)
{
    const size_t length = strlen(command);
    const size_t most = sizeof(p->name) - 1;
    memcpy(p->name, command, length < most ? length : most);
    if (length > most) {
        memcpy(p->name + most - 3, "...", 3);
    }
}

wsr_status wsr__process_start(wsr__process **out, const char *command)
{
    wsr_status status = WSR_OK;
    int input[2] = {-1, -1};
    int output[2] = {-1, -1};
    wsr__process *p = wsr__alloc(1, sizeof(*p));
    *out = NULL;
    if (p == NULL) {
        return WSR_NOMEM;
    }
    p->to = p->from = -1;
    set_name(p, command);
    WSR_TRY(make_pipe(input));
    WSR_TRY(make_pipe(output));
    WSR_TRY(spawn(p, command, input[0], output[1]));
    p->to = input[1];
    p->from = output[0];
    input[1] = output[0] = -1;
    if (fcntl(p->to, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(p->from, F_SETFL, O_NONBLOCK) != 0) {
        status = wsr__fail_errno("pipe", errno);
        goto out;
    }
    *out = p;
    p = NULL;
out:
    for (size_t i = 0; i < 2; i++) {
        close_end(&input[i]);
        close_end(&output[i]);
    }
    wsr__process_free(p);
    return status;
}

const char *wsr__process_name(const wsr__process *process)
{
    return process->name;
}

// -------------------------------------------------------------------- its end

// Waits until the program has ended; it is not reaped yet, so that its number
// still belongs to it. `how` receives how it ended, si_pid 0: not known.
static bool has_ended(const wsr__process *p, siginfo_t *how, double seconds)
{
    const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
    const double until = wsr__seconds() + seconds;
    for (;;) {
        memset(how, 0, sizeof(*how));
        const int result =
            waitid(P_PID, (id_t)p->pid, how, WEXITED | WNOHANG | WNOWAIT);
        // ECHILD: the caller reaps its children itself.
        if (result == 0 ? how->si_pid != 0 : errno != EINTR) {
            return true;
        }
        if (wsr__seconds() >= until) {
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
}

// Also ends what the program has started and left behind.
static void reap(wsr__process *p)
{
    siginfo_t how;
    if (p->pid > 0) {
        (void)kill(-p->pid, SIGKILL);
        while (waitid(P_PID, (id_t)p->pid, &how, WEXITED) != 0 &&
               errno == EINTR) {
        }
        p->pid = 0;
    }
}

void wsr__process_kill(wsr__process *process)
{
    close_end(&process->to);
    close_end(&process->from);
    reap(process);
}

void wsr__process_free(wsr__process *process)
{
    siginfo_t how;
    if (process == NULL) {
        return;
    }
    close_end(&process->to);
    close_end(&process->from);
    if (process->pid > 0) {
        (void)has_ended(process, &how, patience);
    }
    reap(process);
    wsr__free(process);
}

// The program has closed its output, which mostly means that it has ended.
static wsr_status say_end(wsr__process *p)
{
    siginfo_t how;
    const bool ended = has_ended(p, &how, patience / 4);
    wsr__process_kill(p);
    if (!ended || how.si_pid == 0) {
        return WSR_FAIL(WSR_IO, "%s: closed its standard output", p->name);
    }
    if (how.si_code != CLD_EXITED) {
        return WSR_FAIL(WSR_IO, "%s: was ended by signal %d", p->name,
                        how.si_status);
    }
    const bool never_ran = how.si_status == SHELL_NOT_FOUND ||
                           how.si_status == SHELL_CANNOT_RUN;
    return never_ran
               ? WSR_FAIL(WSR_NOTFOUND,
                          "%s: there is no such program, or it "
                          "cannot be run",
                          p->name)
               : WSR_FAIL(WSR_IO,
                          "%s: ended with exit status %d instead of answering",
                          p->name, how.si_status);
}

// ------------------------------------------------------------------ transfers

// write() without SIGPIPE. A signal that was pending before is the caller's.
static ssize_t write_quietly(int end, const void *data, size_t size)
{
    static const struct timespec now = {0};
    sigset_t broken;
    sigset_t before;
    sigset_t pending;
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    sigemptyset(&pending);
    (void)sigpending(&pending);
    (void)pthread_sigmask(SIG_BLOCK, &broken, &before);
    const ssize_t n = write(end, data, size);
    const int error = errno;
    if (n < 0 && error == EPIPE && sigismember(&pending, SIGPIPE) == 0) {
        while (sigtimedwait(&broken, NULL, &now) < 0 && errno == EINTR) {
        }
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return n;
}

static bool passes_by(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

// A program that reads no more may still have said why: what is left to send
// is dropped, and its output is read to the end.
static wsr_status send_some(wsr__process *p, wsr__transfer *t)
{
    const ssize_t n =
        write_quietly(p->to, t->send + t->sent, t->to_send - t->sent);
    if (n >= 0) {
        t->sent += (size_t)n;
    } else if (errno == EPIPE) {
        t->sent = t->to_send;
    } else if (!passes_by(errno)) {
        return wsr__fail_errno(p->name, errno);
    }
    return WSR_OK;
}

static wsr_status receive_some(wsr__process *p, wsr__transfer *t)
{
    const ssize_t n =
        read(p->from, t->receive + t->received, t->room - t->received);
    if (n > 0) {
        t->received += (size_t)n;
    } else if (n == 0) {
        return say_end(p);
    } else if (!passes_by(errno)) {
        return wsr__fail_errno(p->name, errno);
    }
    return WSR_OK;
}

// Waits for one of the pipes, at most until the time is over.
static wsr_status step(wsr__process *p, wsr__transfer *t)
{
    wsr_status status = WSR_OK;
    const bool sending = t->sent < t->to_send;
    struct pollfd ends[2] = {
        {.fd = t->received < t->room ? p->from : -1, .events = POLLIN},
        {.fd = sending ? p->to : -1, .events = POLLOUT}};
    const double left = t->until - wsr__seconds();
    if (left <= 0) {
        return WSR_FAIL(WSR_IO, "%s: did not %s within %g s", p->name,
                        sending ? "read" : "answer", t->seconds);
    }
    // In pieces, since poll() takes milliseconds as int.
    const int wait = left < 1000 ? (int)ceil(left * 1000) : 1000 * 1000;
    if (poll(ends, 2, wait) < 0 && errno != EINTR) {
        return wsr__fail_errno(p->name, errno);
    }
    if (ends[0].revents != 0) {
        WSR_TRY(receive_some(p, t));
    }
    if (ends[1].revents != 0) {
        WSR_TRY(send_some(p, t));
    }
out:
    return status;
}

wsr_status wsr__process_transfer(wsr__process *process, wsr__transfer *transfer,
                                 size_t wanted)
{
    wsr_status status = WSR_OK;
    if (process->from < 0) {
        return WSR_FAIL(WSR_IO, "%s: does not run any more", process->name);
    }
    while (transfer->sent < transfer->to_send || transfer->received < wanted) {
        WSR_TRY(step(process, transfer));
    }
out:
    if (status != WSR_OK) {
        wsr__process_kill(process);
    }
    return status;
}
