// SPDX-License-Identifier: Apache-2.0
//
// The binary version of CIFAR-10 and CIFAR-100 (Krizhevsky 2009, "Learning
// multiple layers of features from tiny images"): files of records, each of
// one or two label bytes and 3072 bytes of pixels, channel by channel, row by
// row. Read from the folder of the files or from the archive that they are
// distributed in, whose entries come in any order.
//
// The number of records is whatever the files hold, not only the official
// 10,000 or 50,000.

#include "data/data.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_PARTS = 8, PIXELS = 3 * 32 * 32, LABEL_BYTES = 4 };

/// One file.
typedef struct part {
    bool present;
    unsigned char *bytes;
    int32_t *labels;
    size_t count;
} part;

typedef struct job {
    const wsr__cifar_layout *layout;
    const char *const *files;
    size_t n;
    size_t limit;
    part parts[MAX_PARTS];
} job;

// ------------------------------------------------------------------- records

static wsr_status read_label(int32_t *label, wsr__source *source,
                             const wsr__cifar_layout *layout, size_t index)
{
    wsr_status status;
    unsigned char bytes[LABEL_BYTES];

    WSR_TRY(wsr__source_read(source, bytes, layout->label_bytes));
    for (size_t i = 0; i < layout->label_bytes; ++i) {
        if (bytes[i] >= layout->label_ends[i]) {
            status = WSR_FAIL(
                WSR_FORMAT, "%s: label %d is outside [0, %ld] (sample %zu)",
                source->name, bytes[i], (long)layout->label_ends[i] - 1, index);
            goto out;
        }
        *label = bytes[i];
    }
out:
    return status;
}

// Number of records in a file; those beyond the limit are not read.
static wsr_status count_records(size_t *count, const wsr__source *source,
                                const wsr__cifar_layout *layout)
{
    const int64_t record = PIXELS + (int64_t)layout->label_bytes;

    if (source->size < 0) {
        return WSR_FAIL(WSR_FORMAT, "%s: is not a plain file", source->name);
    }
    if (source->size == 0 || source->size % record != 0) {
        return WSR_FAIL(
            WSR_FORMAT, "%s: %lld bytes are not a number of records of %lld",
            source->name, (long long)source->size, (long long)record);
    }
    if ((uint64_t)source->size > source->bound ||
        source->size / record > INT32_MAX / MAX_PARTS) {
        return WSR_FAIL(WSR_FORMAT, "%s: %lld bytes are too many", source->name,
                        (long long)source->size);
    }
    *count = (size_t)(source->size / record);
    return WSR_OK;
}

static wsr_status read_part(part *p, wsr__source *source, const job *j)
{
    wsr_status status;
    size_t held = 0;

    WSR_TRY(count_records(&held, source, j->layout));
    p->count = held < j->limit ? held : j->limit;
    p->bytes = wsr__alloc_raw(p->count, PIXELS);
    p->labels = wsr__alloc_raw(p->count, sizeof *p->labels);
    if (!p->bytes || !p->labels) {
        status = WSR_NOMEM;
        goto out;
    }
    for (size_t i = 0; i < p->count; ++i) {
        WSR_TRY(read_label(&p->labels[i], source, j->layout, i));
        WSR_TRY(wsr__source_read(source, p->bytes + i * PIXELS, PIXELS));
    }
    if (p->count == held) {
        WSR_TRY(wsr__source_end(source));
    }
    p->present = true;
out:
    return status;
}

// Samples in the leading parts that are there already.
static size_t leading(const job *j)
{
    size_t count = 0;

    for (size_t i = 0; i < j->n && j->parts[i].present; ++i) {
        count += j->parts[i].count;
    }
    return count;
}

static bool complete(const job *j)
{
    for (size_t i = 0; i < j->n; ++i) {
        if (!j->parts[i].present) {
            return false;
        }
    }
    return true;
}

// -------------------------------------------------------- folder and archive

static bool is_directory(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static wsr_status read_folder(job *j, const char *folder)
{
    wsr_status status = WSR_OK;
    wsr__source *source = NULL;
    char *path = NULL;

    for (size_t i = 0; i < j->n && leading(j) < j->limit; ++i) {
        path = wsr__path_join(folder, j->files[i]);
        if (!path) {
            status = WSR_NOMEM;
            goto out;
        }
        WSR_TRY(wsr__source_open(&source, path));
        WSR_TRY(read_part(&j->parts[i], source, j));
        wsr__source_close(source);
        source = NULL;
        wsr__free(path);
        path = NULL;
    }
out:
    wsr__source_close(source);
    wsr__free(path);
    return status;
}

// The files themselves, or the folder that unpacking the archive makes.
static wsr_status read_folders(job *j, const char *path)
{
    wsr_status status;
    char *const inner = wsr__path_join(path, j->layout->folder);

    if (!inner) {
        return WSR_NOMEM;
    }
    status = read_folder(j, is_directory(inner) ? inner : path);
    wsr__free(inner);
    return status;
}

static part *find_part(job *j, const char *name)
{
    const char *const slash = strrchr(name, '/');
    const char *const base = slash ? slash + 1 : name;

    for (size_t i = 0; i < j->n; ++i) {
        if (wsr__streq(base, j->files[i])) {
            return j->parts[i].present ? NULL : &j->parts[i];
        }
    }
    return NULL;
}

static wsr_status missing_part(const job *j, const char *path)
{
    size_t i = 0;

    while (j->parts[i].present) {
        i++;
    }
    return WSR_FAIL(WSR_NOTFOUND, "%s: holds no %s", path, j->files[i]);
}

static wsr_status read_archive(job *j, const char *path)
{
    wsr_status status;
    wsr__archive *archive = NULL;
    const char *name;
    wsr__source *entry;

    WSR_TRY(wsr__archive_open(&archive, path));
    while (!complete(j) && leading(j) < j->limit) {
        part *p;

        WSR_TRY(wsr__archive_next(&name, &entry, archive));
        if (!name) {
            status = missing_part(j, path);
            goto out;
        }
        p = find_part(j, name);
        if (p) {
            WSR_TRY(read_part(p, entry, j));
        }
    }
    if (leading(j) < j->limit) {
        WSR_TRY(wsr__archive_end(archive));
    }
out:
    wsr__archive_close(archive);
    return status;
}

// -------------------------------------------------------------------- result

static void free_part(part *p)
{
    wsr__free(p->bytes);
    wsr__free(p->labels);
    *p = (part){0};
}

// Join the parts in their order. Each is freed as soon as it is copied, so
// that memory never holds everything twice.
static wsr_status join(wsr_dataset *dataset, job *j)
{
    wsr_status status;
    const size_t have = leading(j);
    const size_t count = have < j->limit ? have : j->limit;
    size_t done = 0;

    WSR_TRY(wsr__dataset_reserve(dataset, count));
    for (size_t i = 0; i < j->n && done < count; ++i) {
        part *const p = &j->parts[i];
        const size_t rest = count - done;
        const size_t n = p->count < rest ? p->count : rest;

        memcpy(dataset->bytes + done * PIXELS, p->bytes, n * PIXELS);
        memcpy(dataset->labels + done, p->labels, n * sizeof *p->labels);
        done += n;
        free_part(p);
    }
out:
    return status;
}

wsr_status wsr__cifar_load(wsr_dataset *dataset,
                           const wsr__cifar_layout *layout, const char *path,
                           const wsr__request *request)
{
    wsr_status status;
    const bool train = request->split == WSR__TRAIN;
    job j = {.layout = layout,
             .files = train ? layout->train : layout->test,
             .limit = request->limit};

    while (j.files[j.n]) {
        j.n++;
    }
    dataset->stored = (wsr__image){3, 32, 32};
    dataset->classes = layout->label_ends[layout->label_bytes - 1];
    dataset->names = layout->names;
    if (is_directory(path)) {
        WSR_TRY(read_folders(&j, path));
    } else {
        WSR_TRY(read_archive(&j, path));
    }
    WSR_TRY(join(dataset, &j));
out:
    for (size_t i = 0; i < j.n; ++i) {
        free_part(&j.parts[i]);
    }
    return status;
}
