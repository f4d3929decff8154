// SPDX-License-Identifier: Apache-2.0
//
// Files read from front to back, inflated on the way when they start with the
// magic bytes of gzip (RFC 1952). zlib's own gzread() is not used: it takes a
// truncated file for a complete one in places, passes files that are not gzip
// through silently when told to read gzip, and allocates behind our back.
// Zeros between and after gzip members are padding, as on tapes; other bytes
// there are refused, where gzip itself ignores them and exits with a warning.
//
// Every source knows a bound on what it can yield: its size, or for gzip 1032
// times as much, deflate's greatest ratio (zlib's technical notes). A header
// that declares more than this bound is refused before memory is allocated for
// it.

#include "data/data.h"

#include "base/magic.h"
#include "data/zlib_alloc.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { CHUNK = 1 << 16, RATIO = 1032 };

typedef struct file_source {
    wsr__source super;
    FILE *file;
    unsigned char *in;         // CHUNK bytes
    const unsigned char *next; // not yet consumed
    size_t available;
    bool gzip;
    bool inflating; // z is initialised
    bool between;   // no gzip member is open
    z_stream z;
    char path[];
} file_source;

// --------------------------------------------------------------- plain files

// Called only when all bytes have been consumed. 0 bytes: end of the file.
static wsr_status refill(file_source *s)
{
    s->available = fread(s->in, 1, CHUNK, s->file);
    s->next = s->in;
    return ferror(s->file) ? wsr__fail_errno(s->path, errno) : WSR_OK;
}

static wsr_status read_plain(size_t *got, wsr__source *source, void *dst,
                             size_t size)
{
    wsr_status status = WSR_OK;
    file_source *const s = (file_source *)(void *)source;
    unsigned char *const to = dst;
    *got = 0;
    while (*got < size) {
        size_t n = size - *got;
        if (s->available == 0) {
            WSR_TRY(refill(s));
        }
        if (s->available == 0) {
            break;
        }
        n = n < s->available ? n : s->available;
        memcpy(to + *got, s->next, n);
        s->next += n;
        s->available -= n;
        *got += n;
    }
out:
    return status;
}

// ---------------------------------------------------------------------- gzip

static wsr_status corrupt(const file_source *s, const char *what)
{
    return WSR_FAIL(WSR_FORMAT, "%s: gzip data are corrupt (%s)", s->path,
                    what);
}

// Make input available; at the end of the file `*end` is set, which is in
// order between members only.
static wsr_status need_input(bool *end, file_source *s)
{
    wsr_status status = WSR_OK;
    *end = false;
    if (s->available == 0) {
        WSR_TRY(refill(s));
    }
    if (s->available == 0) {
        *end = true;
        if (!s->between) {
            status =
                WSR_FAIL(WSR_FORMAT, "%s: gzip data end too early", s->path);
        }
    }
out:
    return status;
}

// Step over zeros between members. False when there may be more of them.
static bool skip_padding(file_source *s)
{
    while (s->available > 0 && *s->next == 0) {
        s->next++;
        s->available--;
    }
    return s->available != 0;
}

static wsr_status begin_member(file_source *s)
{
    if (*s->next != 0x1f) {
        return corrupt(s, "other bytes follow them");
    }
    if (inflateReset(&s->z) != Z_OK) {
        return WSR_FAIL(WSR_INTERNAL, "%s: inflateReset failed", s->path);
    }
    s->between = false;
    return WSR_OK;
}

static wsr_status inflate_some(size_t *made, file_source *s, unsigned char *dst,
                               size_t size)
{
    const uInt room = size < CHUNK ? (uInt)size : CHUNK;
    int code = 0;
    s->z.next_in = s->next;
    s->z.avail_in = (uInt)s->available;
    s->z.next_out = dst;
    s->z.avail_out = room;
    code = inflate(&s->z, Z_NO_FLUSH);
    s->next = s->z.next_in;
    s->available = s->z.avail_in;
    *made = room - s->z.avail_out;
    switch (code) {
    case Z_STREAM_END:
        s->between = true;
        return WSR_OK;
    case Z_OK:
    case Z_BUF_ERROR: // no progress without more input
        return WSR_OK;
    case Z_MEM_ERROR: // the allocation hook wrote the detail
        return WSR_NOMEM;
    default:
        return corrupt(s,
                       s->z.msg != NULL ? s->z.msg : "zlib cannot read them");
    }
}

// A file may hold several members; each is inflated in turn, and inflate()
// checks the length and CRC-32 at the end of each.
static wsr_status read_gzip(size_t *got, wsr__source *source, void *dst,
                            size_t size)
{
    wsr_status status = WSR_OK;
    file_source *const s = (file_source *)(void *)source;
    unsigned char *const to = dst;
    *got = 0;
    while (*got < size) {
        size_t made;
        bool end;
        WSR_TRY(need_input(&end, s));
        if (end) {
            break;
        }
        if (s->between && !skip_padding(s)) {
            continue;
        }
        if (s->between) {
            WSR_TRY(begin_member(s));
        }
        WSR_TRY(inflate_some(&made, s, to + *got, size - *got));
        *got += made;
    }
out:
    return status;
}

// 64 bytes more than the ratio allows: a header and a trailer yield nothing,
// but a tiny file must not round down to less than it holds. The inflated size
// is not known beforehand, since gzip's own field counts modulo 2^32.
static wsr_status start_gzip(file_source *s)
{
    int code = 0;
    wsr__zlib_allocator(&s->z);
    code = inflateInit2(&s->z, 15 + 16); // largest window, gzip wrapper
    if (code == Z_MEM_ERROR) {
        return WSR_NOMEM;
    }
    if (code != Z_OK) {
        return WSR_FAIL(WSR_INTERNAL, "%s: inflateInit2 failed", s->path);
    }
    s->inflating = true;
    s->between = true;
    s->super.read = read_gzip;
    s->super.bound = s->super.bound * RATIO + 64;
    s->super.size = -1;
    return WSR_OK;
}

// ------------------------------------------------------------------- opening

wsr_status wsr__fail_open(const char *path, int error)
{
    if (error == ENOENT || error == ENOTDIR) {
        return WSR_FAIL(WSR_NOTFOUND, "%s: does not exist", path);
    }
    return wsr__fail_errno(path, error);
}

static wsr_status open_file(file_source *s)
{
    struct stat info;
    if (stat(s->path, &info) != 0) {
        return wsr__fail_open(s->path, errno);
    }
    if (!S_ISREG(info.st_mode)) {
        return WSR_FAIL(WSR_IO, "%s: is not a regular file", s->path);
    }
    s->file = fopen(s->path, "rb");
    if (s->file == NULL) {
        return wsr__fail_open(s->path, errno);
    }
    s->super.size = (int64_t)info.st_size;
    s->super.bound = (uint64_t)info.st_size;
    return refill(s);
}

// Also for a source that was opened halfway.
static void close_file(wsr__source *source)
{
    file_source *const s = (file_source *)(void *)source;
    if (s->inflating) {
        (void)inflateEnd(&s->z);
    }
    if (s->file != NULL) {
        (void)fclose(s->file);
    }
    wsr__free(s->in);
    wsr__free(s);
}

// No format that is read here starts like these.
static wsr_status check_kind(const file_source *s)
{
    const wsr__magic *const magic = wsr__magic_of(s->in, s->available);
    if (magic == NULL || magic->data == NULL) {
        return WSR_OK;
    }
    return WSR_FAIL(WSR_UNSUPPORTED, "%s: is %s: %s", s->path, magic->what,
                    magic->data);
}

wsr_status wsr__source_open(wsr__source **out, const char *path)
{
    wsr_status status = WSR_OK;
    const size_t length = strlen(path) + 1;
    file_source *s = NULL;
    *out = NULL;
    s = wsr__alloc(1, sizeof(*s) + length);
    if (s == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    memcpy(s->path, path, length);
    s->super =
        (wsr__source){.name = s->path, .read = read_plain, .close = close_file};
    s->in = wsr__alloc_raw(CHUNK, 1);
    if (s->in == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(open_file(s));
    WSR_TRY(check_kind(s));
    if (s->available >= 2 && s->in[0] == 0x1f && s->in[1] == 0x8b) {
        WSR_TRY(start_gzip(s));
    }
    *out = &s->super;
    s = NULL;
out:
    if (s != NULL) {
        close_file(&s->super);
    }
    return status;
}

// --------------------------------------------------------------- any source

wsr_status wsr__source_read(wsr__source *source, void *dst, size_t size)
{
    wsr_status status = WSR_OK;
    size_t got = 0;
    WSR_TRY(source->read(&got, source, dst, size));
    if (got < size) {
        status = WSR_FAIL(WSR_FORMAT, "%s: is truncated", source->name);
    }
out:
    return status;
}

wsr_status wsr__source_end(wsr__source *source)
{
    wsr_status status = WSR_OK;
    unsigned char byte;
    size_t got = 0;
    WSR_TRY(source->read(&got, source, &byte, 1));
    if (got > 0) {
        status = WSR_FAIL(WSR_FORMAT, "%s: is longer than it declares",
                          source->name);
    }
out:
    return status;
}

void wsr__source_close(wsr__source *source)
{
    if (source != NULL) {
        source->close(source);
    }
}
