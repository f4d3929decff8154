// SPDX-License-Identifier: Apache-2.0
//
// SVHN: 32x32 colour images of house numbers' digits (Netzer et al. 2011), from
// the two Matlab files of its distribution, through matio. X is (h, w, c, n) in
// Matlab's order, the first dimension fastest; y has labels 1 to 10, of which
// 10 is the digit 0, as in torchvision.

#include "data/data.h"

#include <string.h>

static const wsr__option schema[] = {
    WSR__DIR_OPTION("folder of train_32x32.mat and test_32x32.mat"),
    {0},
};

static const char *const positional[] = {"dir", NULL};

static const char *const names[] = {"0", "1", "2", "3", "4",
                                    "5", "6", "7", "8", "9"};

#if WSR_HAVE_LIBMATIO

#include <matio.h>

enum { SIDE = 32, PLANE = SIDE * SIDE, PIXELS = 3 * PLANE, CLASSES = 10 };

// The variables of one file; matio allocates with malloc().
typedef struct contents {
    mat_t *file;
    matvar_t *images;
    matvar_t *labels;
    const char *path;
} contents;

static wsr_status wrong(const contents *m, const char *what)
{
    return WSR_FAIL(WSR_FORMAT, "%s: %s", m->path, what);
}

// X must be bytes (32, 32, 3, n), y a column of n.
static wsr_status check(size_t *count, const contents *m)
{
    const matvar_t *const x = m->images;
    const matvar_t *const y = m->labels;
    if (x == NULL || y == NULL) {
        return wrong(m, "has no variables X and y of SVHN");
    }
    if (x->class_type != MAT_C_UINT8 || x->rank != 4 || x->dims[0] != SIDE ||
        x->dims[1] != SIDE || x->dims[2] != 3 || x->dims[3] < 1) {
        return wrong(m, "X is no array of bytes of 32x32x3xN");
    }
    if (y->rank != 2 || y->dims[0] * y->dims[1] != x->dims[3] ||
        x->dims[3] > INT32_MAX) {
        return WSR_FAIL(WSR_FORMAT, "%s: y has %zu labels for %zu images",
                        m->path, y->rank == 2 ? y->dims[0] * y->dims[1] : 0,
                        x->dims[3]);
    }
    *count = x->dims[3];
    return WSR_OK;
}

// Matlab's columns become rows: an image is (c, w, h) there.
static void turn(unsigned char *dst, const unsigned char *src)
{
    for (int64_t i = 0; i < PIXELS; i++) {
        const int64_t c = i / PLANE;
        const int64_t y = i / SIDE % SIDE;
        const int64_t x = i % SIDE;
        dst[i] = src[c * PLANE + x * SIDE + y];
    }
}

// The bytes are read in place and turned one image at a time.
static wsr_status read_images(wsr_dataset *dataset, const contents *m)
{
    int start[4] = {0, 0, 0, 0};
    int stride[4] = {1, 1, 1, 1};
    int edge[4] = {SIDE, SIDE, 3, (int)dataset->count};
    unsigned char image[PIXELS];
    if (Mat_VarReadData(m->file, m->images, dataset->bytes, start, stride,
                        edge) != 0) {
        return wrong(m, "X is truncated or corrupt");
    }
    for (size_t i = 0; i < dataset->count; i++) {
        unsigned char *const at = dataset->bytes + i * PIXELS;
        memcpy(image, at, PIXELS);
        turn(at, image);
    }
    return WSR_OK;
}

// Labels are bytes in the distribution; other programs write doubles.
static wsr_status read_labels(wsr_dataset *dataset, const contents *m)
{
    const matvar_t *const y = m->labels;
    if (Mat_VarReadDataAll(m->file, m->labels) != 0 || y->data == NULL) {
        return wrong(m, "y is truncated or corrupt");
    }
    if (y->class_type != MAT_C_UINT8 && y->class_type != MAT_C_DOUBLE) {
        return wrong(m, "y holds neither bytes nor doubles");
    }
    for (size_t i = 0; i < dataset->count; i++) {
        const double label = y->class_type == MAT_C_UINT8
                                 ? ((const unsigned char *)y->data)[i]
                                 : ((const double *)y->data)[i];
        if (!(label >= 0 && label <= CLASSES) || label != (int)label) {
            return WSR_FAIL(WSR_FORMAT,
                            "%s: label %g is no digit, 1 to 10 (sample %zu)",
                            m->path, label, i);
        }
        dataset->labels[i] = (int)label % CLASSES;
    }
    return WSR_OK;
}

static void close_file(contents *m)
{
    if (m->images != NULL) {
        Mat_VarFree(m->images);
    }
    if (m->labels != NULL) {
        Mat_VarFree(m->labels);
    }
    if (m->file != NULL) {
        (void)Mat_Close(m->file);
    }
}

static wsr_status open_file(contents *m)
{
    wsr_status status = WSR_OK;
    WSR_TRY(wsr__mat_check(m->path));
    m->file = Mat_Open(m->path, MAT_ACC_RDONLY);
    if (m->file == NULL || Mat_GetVersion(m->file) != MAT_FT_MAT5) {
        return wrong(m, "is no Matlab file of version 5");
    }
    m->images = Mat_VarReadInfo(m->file, "X");
    m->labels = Mat_VarReadInfo(m->file, "y");
out:
    return status;
}

static wsr_status read_file(wsr_dataset *dataset, const char *path,
                            size_t limit)
{
    wsr_status status = WSR_OK;
    contents m = {.path = path};
    size_t count = 0;
    WSR_TRY(open_file(&m));
    WSR_TRY(check(&count, &m));
    dataset->stored = (wsr__image){3, SIDE, SIDE};
    dataset->classes = CLASSES;
    dataset->names = names;
    WSR_TRY(wsr__dataset_reserve(dataset, count < limit ? count : limit));
    WSR_TRY(read_images(dataset, &m));
    WSR_TRY(read_labels(dataset, &m));
out:
    close_file(&m);
    return status;
}

#else

static wsr_status read_file(wsr_dataset *dataset, const char *path,
                            size_t limit)
{
    (void)limit;
    dataset->names = names;
    return WSR_FAIL(WSR_UNSUPPORTED,
                    "%s: reading Matlab files needs matio, which this build "
                    "lacks",
                    path);
}

#endif

static wsr_status load(wsr_dataset *dataset, const void *options,
                       const wsr__request *request)
{
    const wsr__dir_params *const p = options;
    const bool train = request->split == WSR__TRAIN;
    char *const path =
        wsr__path_join(p->dir.s, train ? "train_32x32.mat" : "test_32x32.mat");
    if (path == NULL) {
        return WSR_NOMEM;
    }
    const wsr_status status = read_file(dataset, path, request->limit);
    wsr__free(path);
    return status;
}

const wsr__dataset_class wsr__dataset_svhn = {
    .super = {.name = "svhn",
              .summary = "32x32 colour images of digits of house numbers",
              .reference = "Netzer et al. 2011, Reading digits in natural "
                           "images with unsupervised feature learning",
              .schema = schema,
              .params_size = sizeof(wsr__dir_params)},
    .positional = positional,
    .required = 1,
    .load = load,
};
