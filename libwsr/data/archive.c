// SPDX-License-Identifier: Apache-2.0
//
// Reads the entries of .tar and .tar.gz files. This is the only file that uses
// libarchive. Only its tar reader is switched on. Inflating is left to
// source.c, since libarchive neither verifies gzip's checksum nor allocates
// through our hook. No entry is written to disk and no other program runs.

#include "data/data.h"

#if WSR_HAVE_LIBARCHIVE

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

enum { CHUNK = 1 << 16 };

struct wsr__archive {
    wsr__source entry; // the current one
    wsr__source *file;
    struct archive *reader;
    wsr_status status; // of the file, when that is why the reader failed
    wsr__str name;     // "file.tar.gz:folder/entry"
    unsigned char *buffer;
};

// libarchive's callback for more input. A failure of the file is kept in
// `status`: libarchive would replace it by a text of its own.
static la_ssize_t feed(struct archive *reader, void *user, const void **data)
{
    wsr__archive *const a = user;
    size_t got = 0;
    a->status = a->file->read(&got, a->file, a->buffer, CHUNK);
    if (a->status != WSR_OK) {
        archive_set_error(reader, EIO, "reading failed");
        return ARCHIVE_FATAL;
    }
    *data = a->buffer;
    return (la_ssize_t)got;
}

// The reason that the file itself had goes before libarchive's. `where` is
// the file, or the entry inside. Its texts have no fixed form, so they are cut,
// not parsed.
static wsr_status failed(const wsr__archive *a, const char *where)
{
    const char *const reason = archive_error_string(a->reader);
    if (a->status != WSR_OK) {
        return a->status;
    }
    return WSR_FAIL(WSR_FORMAT, "%s: archive is corrupt (%.200s)", where,
                    reason != NULL ? reason : "no reason given");
}

// The source is the first member of the archive, hence the cast.
static wsr_status read_entry(size_t *got, wsr__source *source, void *dst,
                             size_t size)
{
    wsr__archive *const a = (wsr__archive *)(void *)source;
    la_ssize_t n;
    *got = 0;
    n = archive_read_data(a->reader, dst, size);
    if (n < 0) {
        return failed(a, a->name.s);
    }
    *got = (size_t)n;
    return WSR_OK;
}

// One buffer serves the whole archive: libarchive asks for the next chunk only
// when it has consumed the last.
wsr_status wsr__archive_open(wsr__archive **out, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__archive *a = NULL;
    *out = NULL;
    a = wsr__alloc(1, sizeof(*a));
    if (a == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    a->entry.read = read_entry;
    WSR_TRY(wsr__source_open(&a->file, path));
    a->buffer = wsr__alloc_raw(CHUNK, 1);
    if (a->buffer == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    a->reader = archive_read_new();
    if (a->reader == NULL) {
        status = WSR_FAIL(WSR_NOMEM, "%s: no memory for libarchive", path);
        goto out;
    }
    if (archive_read_support_format_tar(a->reader) != ARCHIVE_OK ||
        archive_read_open(a->reader, a, NULL, feed, NULL) != ARCHIVE_OK) {
        status = failed(a, path);
        goto out;
    }
    *out = a;
    a = NULL;
out:
    wsr__archive_close(a);
    return status;
}

// An entry can hold no more than its file can, inflated: a size in the header
// beyond this bound is refused before memory is asked for.
static wsr_status begin_entry(wsr__archive *a, struct archive_entry *entry,
                              const char *name)
{
    wsr_status status = WSR_OK;
    a->name.len = 0;
    wsr__str_addf(&a->name, "%s:%s", a->file->name, name);
    WSR_TRY(wsr__str_status(&a->name));
    a->entry.name = a->name.s;
    a->entry.size = archive_entry_size_is_set(entry)
                        ? (int64_t)archive_entry_size(entry)
                        : -1;
    a->entry.bound = a->file->bound;
out:
    return status;
}

// Folders, links and devices are stepped over. ARCHIVE_WARN means odd but
// readable, such as a name in an unknown character set.
wsr_status wsr__archive_next(const char **name, wsr__source **entry,
                             wsr__archive *archive)
{
    wsr_status status = WSR_OK;
    struct archive_entry *header = NULL;
    *name = NULL;
    *entry = NULL;
    for (;;) {
        const int code = archive_read_next_header(archive->reader, &header);
        const char *path;
        if (code == ARCHIVE_EOF) {
            break;
        }
        if (code != ARCHIVE_OK && code != ARCHIVE_WARN) {
            status = failed(archive, archive->file->name);
            break;
        }
        path = archive_entry_pathname(header);
        if (path == NULL || archive_entry_filetype(header) != AE_IFREG) {
            continue;
        }
        WSR_TRY(begin_entry(archive, header, path));
        *name = path;
        *entry = &archive->entry;
        break;
    }
out:
    return status;
}

// tar ends in blocks of zeros, behind which libarchive stops reading; gzip's
// checksum comes after them.
wsr_status wsr__archive_end(wsr__archive *archive)
{
    wsr_status status = WSR_OK;
    size_t got = 0;
    do {
        WSR_TRY(
            archive->file->read(&got, archive->file, archive->buffer, CHUNK));
    } while (got > 0);
out:
    return status;
}

void wsr__archive_close(wsr__archive *archive)
{
    if (archive == NULL) {
        return;
    }
    if (archive->reader != NULL) {
        (void)archive_read_free(archive->reader);
    }
    wsr__source_close(archive->file);
    wsr__str_free(&archive->name);
    wsr__free(archive->buffer);
    wsr__free(archive);
}

#else

struct wsr__archive {
    char unused;
};

wsr_status wsr__archive_open(wsr__archive **out, const char *path)
{
    *out = NULL;
    if (!wsr__file_exists(path)) {
        return WSR_FAIL(WSR_NOTFOUND, "%s: does not exist", path);
    }
    return WSR_FAIL(WSR_UNSUPPORTED,
                    "%s: reading archives needs libarchive, which this build "
                    "lacks; unpack it and name the folder",
                    path);
}

wsr_status wsr__archive_next(const char **name, wsr__source **entry,
                             wsr__archive *archive)
{
    (void)archive;
    *name = NULL;
    *entry = NULL;
    return WSR_FAIL(WSR_INTERNAL, "an archive without libarchive");
}

wsr_status wsr__archive_end(wsr__archive *archive)
{
    (void)archive;
    return WSR_FAIL(WSR_INTERNAL, "an archive without libarchive");
}

void wsr__archive_close(wsr__archive *archive)
{
    (void)archive;
}

#endif
