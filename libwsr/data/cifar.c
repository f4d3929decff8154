// SPDX-License-Identifier: Apache-2.0
//
// The binary version of CIFAR-10 and CIFAR-100 (Krizhevsky 2009, "Learning
// multiple layers of features from tiny images"): files of records, each of
// one or two label bytes and 3072 bytes of pixels, channel by channel, row by
// row. Read from the folder of the files, from the archive that they are
// distributed in, or from one of them. Entries of an archive come in any order;
// of two of one name the last counts, as for tar.
//
// The number of records is whatever the files hold, not only the official
// 10,000 or 50,000. Records are read one by one into a part for each file;
// join() copies the parts into the data set in the order in which the layout
// lists the files.

#include "data/data.h"

#include <string.h>

enum { MAX_PARTS = 8, PIXELS = 3 * 32 * 32, LABEL_BYTES = 4 };

const wsr__option wsr__cifar_schema[] = {
    {.key = "path",
     .kind = WSR__TEXT,
     .offset = offsetof(wsr__cifar_params, path),
     .fallback = "",
     .unit = "",
     .help = "folder of the .bin files, the .tar.gz of them, or one of them"},
    {0},
};

const char *const wsr__cifar_positional[] = {"path", NULL};

// One file.
typedef struct part {
    bool present;
    unsigned char *bytes;
    int32_t *labels;
    size_t count;
} part;

// What one call of wsr__cifar_load() works on: the files wanted, in order, and
// the parts read so far.
typedef struct reading {
    const wsr__cifar_layout *layout;
    const char *const *files;
    size_t n;
    size_t limit;
    part parts[MAX_PARTS];
    const char *other; // version of the data that was seen, NULL
} reading;

// ------------------------------------------------------------------- records

static wsr_status read_label(int32_t *label, wsr__source *source,
                             const wsr__cifar_layout *layout, size_t index)
{
    wsr_status status = WSR_OK;
    unsigned char bytes[LABEL_BYTES];
    WSR_TRY(wsr__source_read(source, bytes, layout->label_bytes));
    for (size_t i = 0; i < layout->label_bytes; i++) {
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

// bytes is (count, 3, 32, 32), labels (count). A file that is cut by the limit
// is not read to its end, so its checksum goes unchecked.
static wsr_status read_part(part *p, wsr__source *source, const reading *r)
{
    wsr_status status = WSR_OK;
    size_t held = 0;
    WSR_TRY(count_records(&held, source, r->layout));
    p->count = held < r->limit ? held : r->limit;
    p->bytes = wsr__alloc_raw(p->count, PIXELS);
    p->labels = wsr__alloc_raw(p->count, sizeof(*p->labels));
    if (p->bytes == NULL || p->labels == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    for (size_t i = 0; i < p->count; i++) {
        WSR_TRY(read_label(&p->labels[i], source, r->layout, i));
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
static size_t leading(const reading *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->n && r->parts[i].present; i++) {
        count += r->parts[i].count;
    }
    return count;
}

// Number of the first part that is not there, r->n for none.
static size_t missing(const reading *r)
{
    size_t i = 0;
    while (i < r->n && r->parts[i].present) {
        i++;
    }
    return i;
}

static void free_part(part *p)
{
    wsr__free(p->bytes);
    wsr__free(p->labels);
    *p = (part){0};
}

static const char *base_of(const char *path)
{
    const char *const slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

// Whether a file is one of the binary version, but with another suffix
// instead of ".bin".
static bool is_other_version(const reading *r, const char *base,
                             const char *suffix)
{
    for (size_t i = 0; i < r->n; i++) {
        const size_t n = strlen(r->files[i]) - strlen(".bin");
        if (strncmp(base, r->files[i], n) == 0 &&
            wsr__streq(base + n, suffix)) {
            return true;
        }
    }
    return false;
}

// Keep in mind that a file belongs to another version of the data.
static void note_version(reading *r, const char *base)
{
    if (is_other_version(r, base, "")) {
        r->other = "Python";
    } else if (is_other_version(r, base, ".mat")) {
        r->other = "Matlab";
    }
}

static wsr_status missing_file(const reading *r, const char *path,
                               const char *file)
{
    if (r->other != NULL) {
        return WSR_FAIL(WSR_UNSUPPORTED,
                        "%s: is the %s version of the data, the binary version "
                        "is wanted (%s)",
                        path, r->other, r->layout->archive);
    }
    return WSR_FAIL(WSR_NOTFOUND, "%s: holds no %s", path, file);
}

// -------------------------------------------------------- folder and archive

// Files behind the limit are not opened, and need not exist.
static wsr_status read_folder(reading *r, const char *folder)
{
    wsr_status status = WSR_OK;
    wsr__source *source = NULL;
    char *path = NULL;
    for (size_t i = 0; i < r->n && leading(r) < r->limit; i++) {
        path = wsr__path_join(folder, r->files[i]);
        if (path == NULL) {
            status = WSR_NOMEM;
            goto out;
        }
        WSR_TRY(wsr__source_open(&source, path));
        WSR_TRY(read_part(&r->parts[i], source, r));
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

// Look in a folder without the binary version for the others.
static wsr_status explain_folder(reading *r, const char *folder,
                                 const char *file)
{
    static const char *const suffixes[] = {"", ".mat"};
    wsr_status status = WSR_OK;
    wsr__str path = {0};
    for (size_t i = 0; i < 4 && r->other == NULL; i++) {
        wsr__str_free(&path);
        wsr__str_addf(&path, "%s/%s%s%.*s%s", folder,
                      i < 2 ? "" : r->layout->python, i < 2 ? "" : "/",
                      (int)(strlen(file) - strlen(".bin")), file,
                      suffixes[i % 2]);
        WSR_TRY(wsr__str_status(&path));
        if (wsr__file_exists(path.s) && !wsr__is_folder(path.s)) {
            note_version(r, base_of(path.s));
        }
    }
    if (r->other != NULL) {
        status = missing_file(r, folder, file);
        goto out;
    }
    status = WSR_FAIL(WSR_NOTFOUND, "%s/%s: does not exist", folder, file);
out:
    wsr__str_free(&path);
    return status;
}

// The files themselves, or the folder that unpacking the archive makes.
static wsr_status read_folders(reading *r, const char *path)
{
    wsr_status status = WSR_OK;
    char *const inner = wsr__path_join(path, r->layout->folder);
    if (inner == NULL) {
        return WSR_NOMEM;
    }
    const char *const folder = wsr__is_folder(inner) ? inner : path;
    status = read_folder(r, folder);
    if (status == WSR_NOTFOUND) {
        status = explain_folder(r, folder, r->files[missing(r)]);
    }
    wsr__free(inner);
    return status;
}

static part *find_part(reading *r, const char *base)
{
    for (size_t i = 0; i < r->n; i++) {
        if (wsr__streq(base, r->files[i])) {
            return &r->parts[i];
        }
    }
    return NULL;
}

// Read all of it, whatever the limit: an entry may come again. The archive's
// checksum counts too.
static wsr_status read_archive(reading *r, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__archive *archive = NULL;
    const char *name = NULL;
    wsr__source *entry = NULL;
    WSR_TRY(wsr__archive_open(&archive, path));
    for (;;) {
        WSR_TRY(wsr__archive_next(&name, &entry, archive));
        if (name == NULL) {
            break;
        }
        part *const p = find_part(r, base_of(name));
        if (p != NULL) {
            free_part(p);
            WSR_TRY(read_part(p, entry, r));
        } else {
            note_version(r, base_of(name));
        }
    }
    WSR_TRY(wsr__archive_end(archive));
    if (leading(r) < r->limit && missing(r) < r->n) {
        status = missing_file(r, path, r->files[missing(r)]);
    }
out:
    wsr__archive_close(archive);
    return status;
}

// ------------------------------------------------------------------ one file

static bool is_single(const char *path)
{
    const size_t n = strlen(path);
    const size_t tail = strlen(".bin");
    return n > tail && wsr__streq(path + n - tail, ".bin");
}

static bool is_among(const char *base, const char *const *files)
{
    while (*files != NULL && !wsr__streq(*files, base)) {
        files++;
    }
    return *files != NULL;
}

// A file of records by itself is the split that its name says, else the train
// split, as a lone pair of IDX files is.
static wsr_status read_single(reading *r, const char *path, wsr__split split)
{
    wsr_status status = WSR_OK;
    wsr__source *source = NULL;
    const bool test = is_among(base_of(path), r->layout->test);
    if (split != WSR__ANY && (split == WSR__TEST) != test) {
        return WSR_FAIL(WSR_NOTFOUND,
                        "data.split: %s is a file of the %s split by itself, "
                        "name the folder of all files",
                        path, test ? "test" : "train");
    }
    r->n = 1;
    WSR_TRY(wsr__source_open(&source, path));
    WSR_TRY(read_part(&r->parts[0], source, r));
out:
    wsr__source_close(source);
    return status;
}

// -------------------------------------------------------------------- result

// Join the parts in their order. Each is freed as soon as it is copied, so
// that memory never holds everything twice.
static wsr_status join(wsr_dataset *dataset, reading *r)
{
    wsr_status status = WSR_OK;
    const size_t have = leading(r);
    const size_t count = have < r->limit ? have : r->limit;
    size_t done = 0;
    WSR_TRY(wsr__dataset_reserve(dataset, count));
    for (size_t i = 0; i < r->n && done < count; i++) {
        part *const p = &r->parts[i];
        const size_t rest = count - done;
        const size_t n = p->count < rest ? p->count : rest;
        memcpy(dataset->bytes + done * PIXELS, p->bytes, n * PIXELS);
        memcpy(dataset->labels + done, p->labels, n * sizeof(*p->labels));
        done += n;
        free_part(p);
    }
out:
    return status;
}

wsr_status wsr__cifar_load(wsr_dataset *dataset,
                           const wsr__cifar_layout *layout,
                           const wsr__cifar_params *params,
                           const wsr__request *request)
{
    wsr_status status = WSR_OK;
    const char *const path = params->path.s;
    const bool train = request->split == WSR__TRAIN;
    reading r = {.layout = layout,
                 .files = train ? layout->train : layout->test,
                 .limit = request->limit};
    while (r.files[r.n] != NULL) {
        r.n++;
    }
    dataset->stored = (wsr__image){3, 32, 32};
    dataset->classes = layout->label_ends[layout->label_bytes - 1];
    dataset->names = layout->names;
    if (wsr__is_folder(path)) {
        WSR_TRY(read_folders(&r, path));
    } else if (is_single(path)) {
        WSR_TRY(read_single(&r, path, request->split));
    } else {
        WSR_TRY(read_archive(&r, path));
    }
    WSR_TRY(join(dataset, &r));
out:
    for (size_t i = 0; i < MAX_PARTS; i++) {
        free_part(&r.parts[i]);
    }
    return status;
}
