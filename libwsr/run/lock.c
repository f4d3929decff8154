// SPDX-License-Identifier: Apache-2.0
//
// One process at a time works in a folder: it holds flock(2) on the file
// "lock", into which it wrote who it is. The system lets go when the process
// ends, so a lock is never stale. The file is removed when the holder leaves;
// whoever waits on a removed file notices and takes the new one.

#define _DEFAULT_SOURCE // flock, gethostname

#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static wsr_status fail_held(int fd, const char *dir)
{
    char holder[128] = "";
    const ssize_t n = pread(fd, holder, sizeof(holder) - 1, 0);
    holder[n > 0 ? n : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    return WSR_FAIL(WSR_BUSY,
                    "%s: %s works in this folder, wait until it is done", dir,
                    holder[0] != '\0' ? holder : "another process");
}

static void sign(int fd)
{
    char host[64] = "";
    char text[128];
    (void)gethostname(host, sizeof(host) - 1);
    const int n = snprintf(text, sizeof(text), "process %ld on %s\n",
                           (long)getpid(), host);
    // The name is for people; the lock holds without it.
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) != n) {
        (void)ftruncate(fd, 0);
    }
}

// Whether the path still names the file that is open.
static bool is_current(int fd, const char *path)
{
    struct stat a;
    struct stat b;
    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_ino == b.st_ino &&
           a.st_dev == b.st_dev;
}

wsr_status wsr__lock_take(wsr__lock *lock, const char *dir)
{
    wsr_status status = WSR_OK;
    *lock = (wsr__lock){-1, wsr__path_join(dir, "lock")};
    if (lock->path == NULL) {
        return WSR_NOMEM;
    }
    while (!(lock->fd >= 0 && is_current(lock->fd, lock->path))) {
        if (lock->fd >= 0) {
            (void)close(lock->fd);
        }
        lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (lock->fd < 0) {
            status = wsr__fail_errno(lock->path, errno);
            goto out;
        }
        if (flock(lock->fd, LOCK_EX | LOCK_NB) == 0) {
            continue;
        }
        if (errno == EWOULDBLOCK) {
            status = fail_held(lock->fd, dir);
            (void)close(lock->fd);
            lock->fd = -1;
            goto out;
        }
        // Some file systems know no locks; a run there goes without.
        wsr__log(WSR_LOG_WARNING,
                 "%s: the file system has no locks; two runs "
                 "in one folder would spoil each other",
                 lock->path);
        break;
    }
    sign(lock->fd);
out:
    if (status != WSR_OK) {
        wsr__lock_release(lock);
    }
    return status;
}

void wsr__lock_release(wsr__lock *lock)
{
    if (lock->fd >= 0) {
        (void)unlink(lock->path); // while it is held: nobody else's is removed
        (void)close(lock->fd);
    }
    wsr__free(lock->path);
    *lock = (wsr__lock){-1, NULL};
}
