// SPDX-License-Identifier: Apache-2.0
//
// Reads zip archives (PKWARE's APPNOTE 6.3) in memory by their central
// directory. PyTorch's local headers hold neither sizes nor checksums, so only
// the directory is believed. Stored members are used where they lie.
//
// libarchive 3.6.2 reads such files as well: of a file of torch with 104 MB it
// yields every block where it lies in memory and in the same time (0.03 s, that
// of the checksums). It is not used here since
//   - it has no access by name: a file is walked once from front to back, while
//     the pickle, which says what of the rest is read, stands among the
//     members; that a block remains valid behind the next call is promised
//     nowhere;
//   - it allocates with malloc(), past the allocator of the program, 160 bytes
//     for each member: of 60000 small members 9.7 MB in 0.18 s, here 7 MB in
//     0.01 s;
//   - of members that lie at one place it yields one and says nothing of the
//     others, and it passes members of one name;
//   - it is optional and writes no members at multiples of 64 bytes, and
//   neither
//     .pth nor .npz files should depend on it.
//
// Archives come from strangers. The members together hold no more bytes than
// the file, and deflate expands at most 1032 times (zlib's technical notes), so
// no archive makes the reader allocate more than its size justifies.

#include "io/zip.h"

#include "data/zlib_alloc.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    END_SIZE = 22,     // record at the end of the directory
    LOCATOR_SIZE = 20, // in front of it: where the 64-bit record is
    END64_SIZE = 56,   // the 64-bit record
    ENTRY_SIZE = 46,   // of the directory, without name and extra fields
    LOCAL_SIZE = 30,   // header in front of a member's data
    COMMENT_MOST = 65535,
    RATIO = 1032,
    ENCRYPTED = 1, // flag
    STORED = 0,
    DEFLATED = 8
};

#define UNKNOWN32 UINT32_C(0xffffffff) // the value is in the extra fields

struct wsr__zip {
    char *path;
    const unsigned char *bytes;
    size_t size;
    size_t n;
    wsr__zip_member *members;
    const wsr__zip_member **sorted; // by name
    char *names;
};

// -------------------------------------------------------------- directory

// Numbers are little-endian, as are all processors that this library runs on
// (io/safetensors.c), and lie anywhere.
static uint16_t u16(const unsigned char *p)
{
    uint16_t value = 0;
    memcpy(&value, p, sizeof(value));
    return value;
}

static uint32_t u32(const unsigned char *p)
{
    uint32_t value = 0;
    memcpy(&value, p, sizeof(value));
    return value;
}

static uint64_t u64(const unsigned char *p)
{
    uint64_t value = 0;
    memcpy(&value, p, sizeof(value));
    return value;
}

// The place of the directory, as the record at the end has it.
typedef struct directory {
    uint64_t begin;
    uint64_t size;
    uint64_t count;
} directory;

// A comment may follow the record, so it is searched from the end.
static const unsigned char *find_end(const wsr__zip *zip)
{
    const size_t most = END_SIZE + COMMENT_MOST;
    const size_t window = zip->size < most ? zip->size : most;
    for (size_t back = END_SIZE; back <= window; back++) {
        const unsigned char *const p = zip->bytes + zip->size - back;
        if (memcmp(p, "PK\5\6", 4) == 0 && u16(p + 20) == back - END_SIZE) {
            return p;
        }
    }
    return NULL;
}

// The 64-bit record goes before the other where there is one. The directory
// ends where the first of the records begins.
static wsr_status find_directory(directory *out, const wsr__zip *zip)
{
    const unsigned char *const end = find_end(zip);
    if (end == NULL) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: zip archive is truncated: the directory at its "
                        "end is missing",
                        zip->path);
    }
    *out = (directory){u32(end + 16), u32(end + 12), u16(end + 10)};
    size_t limit = (size_t)(end - zip->bytes);
    if (limit >= LOCATOR_SIZE + END64_SIZE &&
        memcmp(end - LOCATOR_SIZE, "PK\6\7", 4) == 0) {
        const uint64_t at = u64(end - LOCATOR_SIZE + 8);
        const bool fits = at <= limit - LOCATOR_SIZE - END64_SIZE;
        const unsigned char *const p = zip->bytes + (fits ? at : 0);
        if (!fits || memcmp(p, "PK\6\6", 4) != 0) {
            return WSR_FAIL(WSR_FORMAT,
                            "%s: zip archive is corrupt: its 64-bit directory "
                            "record is missing",
                            zip->path);
        }
        *out = (directory){u64(p + 48), u64(p + 40), u64(p + 32)};
        limit = (size_t)at;
    }
    if (out->begin > limit || out->size > limit - out->begin ||
        out->count > out->size / ENTRY_SIZE) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: zip archive is corrupt: a directory of %llu bytes "
                        "for %llu members at byte %llu of %zu",
                        zip->path, (unsigned long long)out->size,
                        (unsigned long long)out->count,
                        (unsigned long long)out->begin, zip->size);
    }
    return WSR_OK;
}

// Sizes and place of a member before they are checked.
typedef struct place {
    uint64_t size;
    uint64_t packed;
    uint64_t begin; // of the local header
} place;

// Of the extra fields only the 64-bit values matter: those whose 32-bit field
// is all ones, in this order. False when one is missing.
static bool read_extra(place *out, const unsigned char *p, size_t size)
{
    uint64_t *const wide[] = {&out->size, &out->packed, &out->begin};
    size_t left = size;
    while (left >= 4 && u16(p) != 1) {
        const size_t skip = 4 + (size_t)u16(p + 2);
        if (skip > left) {
            break;
        }
        p += skip;
        left -= skip;
    }
    const bool there = left >= 4 && u16(p) == 1 && u16(p + 2) <= left - 4;
    size_t held = there ? u16(p + 2) : 0;
    p += 4;
    for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++) {
        if (*wide[i] != UNKNOWN32) {
            continue;
        }
        if (held < sizeof(uint64_t)) {
            return false;
        }
        *wide[i] = u64(p);
        p += sizeof(uint64_t);
        held -= sizeof(uint64_t);
    }
    return true;
}

static wsr_status corrupt(const wsr__zip *zip, const char *name,
                          const char *what)
{
    return WSR_FAIL(WSR_FORMAT, "%s: zip archive is corrupt: member '%.80s' %s",
                    zip->path, name, what);
}

// The data follow the local header, whose length only it knows.
static wsr_status locate(wsr__zip_member *m, const wsr__zip *zip,
                         const place *at)
{
    if (zip->size < LOCAL_SIZE || at->begin > zip->size - LOCAL_SIZE ||
        memcmp(zip->bytes + at->begin, "PK\3\4", 4) != 0) {
        return corrupt(zip, m->name, "has no header");
    }
    const unsigned char *const header = zip->bytes + at->begin;
    const size_t begin = (size_t)at->begin + LOCAL_SIZE + u16(header + 26) +
                         u16(header + 28);
    if (begin > zip->size || at->packed > zip->size - begin) {
        return corrupt(zip, m->name, "leaves the file");
    }
    if (m->method == STORED ? at->size != at->packed
                            : at->size / RATIO > at->packed) {
        return corrupt(zip, m->name, "claims a size that its data cannot have");
    }
    m->data = zip->bytes + begin;
    m->packed = (size_t)at->packed;
    m->size = (size_t)at->size;
    return WSR_OK;
}

// One entry of the directory; `*p` moves behind it, `*name` behind the copy of
// its name.
static wsr_status read_entry(wsr__zip_member *m, const wsr__zip *zip,
                             const unsigned char **p, const unsigned char *end,
                             char **name)
{
    const unsigned char *const e = *p;
    const size_t left = (size_t)(end - e);
    const bool whole = left >= ENTRY_SIZE && memcmp(e, "PK\1\2", 4) == 0;
    const size_t n_name = whole ? u16(e + 28) : 0;
    const size_t n_extra = whole ? u16(e + 30) : 0;
    const size_t n_comment = whole ? u16(e + 32) : 0;
    if (!whole || left - ENTRY_SIZE < n_name + n_extra + n_comment ||
        n_name == 0 || memchr(e + ENTRY_SIZE, '\0', n_name) != NULL) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: zip archive is corrupt: its directory breaks off "
                        "at byte %zu",
                        zip->path, (size_t)(e - zip->bytes));
    }
    memcpy(*name, e + ENTRY_SIZE, n_name);
    (*name)[n_name] = '\0';
    m->name = *name;
    m->flags = u16(e + 8);
    m->method = u16(e + 10);
    m->crc = u32(e + 16);
    place at = {u32(e + 24), u32(e + 20), u32(e + 42)};
    *name += n_name + 1;
    *p = e + ENTRY_SIZE + n_name + n_extra + n_comment;
    return read_extra(&at, e + ENTRY_SIZE + n_name, n_extra)
               ? locate(m, zip, &at)
               : corrupt(zip, m->name, "lacks its 64-bit sizes");
}

static int by_name(const void *a, const void *b)
{
    const wsr__zip_member *const *const x = a;
    const wsr__zip_member *const *const y = b;
    return strcmp((*x)->name, (*y)->name);
}

// A second member of a name would be read by some programs and the first by
// others.
static wsr_status sort_members(wsr__zip *zip)
{
    zip->sorted = wsr__alloc(zip->n, sizeof(const wsr__zip_member *));
    if (zip->sorted == NULL) {
        return WSR_NOMEM;
    }
    for (size_t i = 0; i < zip->n; i++) {
        zip->sorted[i] = &zip->members[i];
    }
    qsort(zip->sorted, zip->n, sizeof(*zip->sorted), by_name);
    for (size_t i = 1; i < zip->n; i++) {
        if (wsr__streq(zip->sorted[i - 1]->name, zip->sorted[i]->name)) {
            return corrupt(zip, zip->sorted[i]->name, "occurs twice");
        }
    }
    return WSR_OK;
}

// Names are copied into one block, which an entry's 46 bytes leave room for.
static wsr_status read_directory(wsr__zip *zip, const directory *d)
{
    wsr_status status = WSR_OK;
    const unsigned char *p = zip->bytes + d->begin;
    const unsigned char *const end = p + d->size;
    size_t packed = 0;
    zip->members = wsr__alloc((size_t)d->count, sizeof(*zip->members));
    zip->names = wsr__alloc_raw((size_t)d->size + 1, 1);
    if (zip->members == NULL || zip->names == NULL) {
        return WSR_NOMEM;
    }
    char *name = zip->names;
    for (uint64_t i = 0; i < d->count; i++) {
        wsr__zip_member *const m = &zip->members[zip->n];
        WSR_TRY(read_entry(m, zip, &p, end, &name));
        packed += m->packed; // each is at most the file's size
        if (packed > zip->size) {
            status = corrupt(zip, m->name, "overlaps others");
            goto out;
        }
        zip->n++;
    }
out:
    return status;
}

wsr_status wsr__zip_open(wsr__zip **out, const unsigned char *bytes,
                         size_t size, const char *path)
{
    wsr_status status = WSR_OK;
    directory d = {0};
    *out = NULL;
    wsr__zip *zip = wsr__alloc(1, sizeof(*zip));
    if (zip == NULL) {
        return WSR_NOMEM;
    }
    zip->bytes = bytes;
    zip->size = size;
    zip->path = wsr__strdup(path);
    WSR_TRY(zip->path != NULL ? WSR_OK : WSR_NOMEM);
    WSR_TRY(find_directory(&d, zip));
    WSR_TRY(read_directory(zip, &d));
    WSR_TRY(sort_members(zip));
    *out = zip;
    zip = NULL;
out:
    wsr__zip_free(zip);
    return status;
}

// Legal for an archive that was opened halfway.
void wsr__zip_free(wsr__zip *zip)
{
    if (zip == NULL) {
        return;
    }
    for (size_t i = 0; i < zip->n; i++) {
        wsr__free(zip->members[i].content);
    }
    wsr__free(zip->members);
    wsr__free(zip->sorted);
    wsr__free(zip->names);
    wsr__free(zip->path);
    wsr__free(zip);
}

const wsr__zip_member *wsr__zip_at(const wsr__zip *zip, size_t i)
{
    return i < zip->n ? &zip->members[i] : NULL;
}

const wsr__zip_member *wsr__zip_find(const wsr__zip *zip, const char *name)
{
    const wsr__zip_member wanted = {.name = name};
    const wsr__zip_member *const key = &wanted;
    const wsr__zip_member *const *const found =
        bsearch(&key, zip->sorted, zip->n, sizeof(*zip->sorted), by_name);
    return found != NULL ? *found : NULL;
}

// ----------------------------------------------------------------- contents

// zlib counts in unsigned int, so long members go through in parts.
static int inflate_all(unsigned char *dst, size_t size, z_stream *z,
                       size_t packed)
{
    int code = Z_OK;
    size_t in = packed;
    size_t out = size;
    z->next_out = dst;
    while (code == Z_OK) {
        const size_t give = in < UINT_MAX ? in : UINT_MAX;
        const size_t room = out < UINT_MAX ? out : UINT_MAX;
        z->avail_in = (uInt)give;
        z->avail_out = (uInt)room;
        code = inflate(z, Z_NO_FLUSH);
        in -= give - z->avail_in;
        out -= room - z->avail_out;
    }
    return code == Z_STREAM_END && in == 0 && out == 0 ? Z_OK : code;
}

// The content has exactly the size that the directory claims.
static wsr_status inflate_member(const wsr__zip *zip, wsr__zip_member *m)
{
    wsr_status status = WSR_OK;
    z_stream z = {0};
    unsigned char *content = wsr__alloc_raw(m->size, 1);
    if (content == NULL) {
        return WSR_NOMEM;
    }
    z.next_in = m->data;
    wsr__zlib_allocator(&z);
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK) {
        status = WSR_FAIL(WSR_NOMEM, "%s: no memory to inflate", zip->path);
        goto out;
    }
    const int code = inflate_all(content, m->size, &z, m->packed);
    (void)inflateEnd(&z);
    if (code == Z_MEM_ERROR) {
        status = WSR_NOMEM;
        goto out;
    }
    if (code != Z_OK) {
        status = corrupt(zip, m->name, "cannot be inflated");
        goto out;
    }
    m->content = content;
    content = NULL;
out:
    wsr__free(content);
    return status;
}

// The member is the archive's own, hence no longer constant.
wsr_status wsr__zip_read(const unsigned char **data, wsr__zip *zip,
                         const wsr__zip_member *member)
{
    wsr_status status = WSR_OK;
    wsr__zip_member *const m = &zip->members[member - zip->members];
    *data = NULL;
    if ((m->flags & ENCRYPTED) != 0 ||
        (m->method != STORED && m->method != DEFLATED)) {
        return WSR_FAIL(WSR_UNSUPPORTED,
                        "%s: member '%.80s' is %s, only stored and deflated "
                        "members are read",
                        zip->path, m->name,
                        (m->flags & ENCRYPTED) != 0 ? "encrypted"
                                                    : "packed otherwise");
    }
    if (m->method == DEFLATED && m->content == NULL) {
        WSR_TRY(inflate_member(zip, m));
    }
    const unsigned char *const content = m->method == DEFLATED ? m->content
                                                               : m->data;
    if (!m->checked && crc32_z(0, content, m->size) != m->crc) {
        return corrupt(zip, m->name, "does not have its checksum");
    }
    m->checked = true;
    *data = content;
out:
    return status;
}
