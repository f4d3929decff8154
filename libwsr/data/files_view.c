// SPDX-License-Identifier: Apache-2.0
//
// Reads the images of a data set of files: each is decoded when it is wanted,
// since a data set may be larger than memory. Evaluations see the view, the
// short side resized and the centre cut, as torchvision's Resize and
// CenterCrop.

#include "data/files.h"

#include <string.h>

void wsr__reader_free(wsr__reader *reader)
{
    wsr__image_close(&reader->file);
    wsr__workspace_free(&reader->workspace);
}

wsr_status wsr__files_read(float *dst, const wsr_dataset *dataset, size_t index,
                           const wsr__pipeline *pipeline, wsr__reader *reader,
                           wsr__rng *rng)
{
    wsr_status status = WSR_OK;
    size_t at = index;
    const wsr__files *const files = wsr__files_of(dataset, &at);
    const char *const path = wsr__files_path(files, at);
    WSR_TRY(wsr__image_open(&reader->file, path));
    status = wsr__pipeline_decode(dst, pipeline, &reader->workspace,
                                  &reader->file.super, rng);
    if (status == WSR_CONFIG) {
        status = wsr__fail_at(status, "%s", path);
    }
out:
    return status;
}

// ----------------------------------------------------------- several at once

// Reads images as the view shows them, on all threads. The detail of a failure
// is had by reading that image once more.
typedef struct job {
    const wsr_dataset *dataset;
    const size_t *indices; // NULL: 0, 1, 2, ...
    float *dst;
    size_t floats; // of an image
    bool keep;     // dst has a place for each image, not for each thread
    unsigned char *failed; // the status of each
    wsr__reader *readers;  // one for each thread
    wsr__pipeline *show;   // the view
    size_t threads;
} job;

static wsr_status read_one(const job *j, size_t i, size_t part)
{
    wsr__rng none = {0}; // the view draws nothing
    float *const to = j->dst + (j->keep ? i : part) * j->floats;
    return wsr__files_read(to, j->dataset,
                           j->indices != NULL ? j->indices[i] : i, j->show,
                           &j->readers[part], &none);
}

static void read_some(void *ctx, int64_t begin, int64_t end, size_t part)
{
    const job *const j = ctx;
    for (int64_t i = begin; i < end; i++) {
        j->failed[i] = (unsigned char)read_one(j, (size_t)i, part);
    }
}

// What an image failed with, and its detail. Memory may be there again.
static wsr_status fail_again(const job *j, size_t i)
{
    if (j->failed[i] == WSR_NOMEM) {
        return WSR_FAIL(WSR_NOMEM, "out of memory for an image");
    }
    return j->failed[i] == WSR_OK ? WSR_OK : read_one(j, i, 0);
}

static wsr_status make_job(job *j, size_t count)
{
    wsr_status status = WSR_OK;
    const wsr__view view = wsr__files_shown(j->dataset);
    const size_t threads = count > 1 ? wsr_threads() : 1;
    j->floats = (size_t)wsr__image_floats(view.image);
    WSR_TRY(wsr__pipeline_new_view(&j->show, "", &view));
    j->failed = wsr__alloc(count, 1);
    j->readers = wsr__alloc(threads, sizeof(*j->readers));
    if (j->failed == NULL || j->readers == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    j->threads = threads;
    for (size_t i = 0; i < threads; i++) {
        WSR_TRY(wsr__workspace_make(&j->readers[i].workspace, j->show));
    }
out:
    return status;
}

static wsr_status run_job(job *j, size_t count)
{
    wsr_status status = WSR_OK;
    WSR_TRY(j->threads > 1 ? wsr__threads_start() : WSR_OK);
    wsr__parallel_among((int64_t)count, (int64_t)j->threads, read_some, j);
out:
    return status;
}

static void free_job(job *j)
{
    for (size_t i = 0; i < j->threads; i++) {
        wsr__reader_free(&j->readers[i]);
    }
    wsr__free(j->readers);
    wsr__free(j->failed);
    wsr__pipeline_free(j->show);
}

wsr_status wsr__files_images(float *dst, const wsr_dataset *dataset,
                             const size_t *indices, size_t count)
{
    wsr_status status = WSR_OK;
    job j = {.dataset = dataset, .indices = indices, .dst = dst, .keep = true};
    WSR_TRY(make_job(&j, count));
    WSR_TRY(run_job(&j, count));
    for (size_t i = 0; i < count; i++) {
        WSR_TRY(fail_again(&j, i));
    }
out:
    free_job(&j);
    return status;
}

// --------------------------------------------------------------- broken images

// Keep the images that can be read, saying which others there are.
static wsr_status drop_failed(wsr_dataset *dataset, const job *j)
{
    wsr_status status = WSR_OK;
    wsr__files *const f = dataset->files;
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        status = fail_again(j, i);
        if (status == WSR_FORMAT || status == WSR_UNSUPPORTED ||
            status == WSR_CONFIG) {
            wsr__log(WSR_LOG_WARNING, "data.broken: left out: %s",
                     wsr_error_detail());
            status = WSR_OK;
            continue;
        }
        WSR_TRY(status);
        f->starts[kept] = f->starts[i];
        f->labels[kept] = f->labels[i];
        kept++;
    }
    if (kept < f->count) {
        wsr__log(WSR_LOG_WARNING, "data.broken: left out %zu of %zu images",
                 f->count - kept, f->count);
    }
    f->count = kept;
    dataset->count = kept;
    if (kept == 0) {
        status = WSR_FAIL(WSR_FORMAT, "data.broken: no image is left");
    }
out:
    return status;
}

static wsr_status skip_broken(wsr_dataset *dataset)
{
    wsr_status status = WSR_OK;
    job j = {.dataset = dataset};
    WSR_TRY(make_job(&j, dataset->count));
    j.dst = wsr__alloc_raw(j.threads, j.floats * sizeof(*j.dst));
    if (j.dst == NULL) {
        status = WSR_NOMEM;
        goto out;
    }
    WSR_TRY(run_job(&j, dataset->count));
    WSR_TRY(drop_failed(dataset, &j));
out:
    wsr__free(j.dst);
    free_job(&j);
    return status;
}

// ----------------------------------------------------------------------- view

// At another size than the files were opened with the same part is cut.
wsr__view wsr__files_shown(const wsr_dataset *dataset)
{
    size_t first = 0;
    const wsr__files *const files = wsr__files_of(dataset, &first);
    wsr__view view = {.image = dataset->view};
    if (files != NULL) {
        view.resize = files->view.resize * view.image.h / files->view.image.h;
    }
    return view;
}

// The short side before the centre is cut keeps its proportion to the size:
// 256 to 224 (8 to 7, rounded) unless the data set says otherwise.
static wsr_status make_view(wsr__view *view, const wsr__data_params *params)
{
    const int64_t usual = view->image.h;
    const int64_t size = params->size > 0 ? params->size : usual;
    int64_t resize = params->resize;
    if (params->channels > 0 && params->channels != view->image.c) {
        return WSR_FAIL(WSR_CONFIG,
                        "data.channels: images in files have 3 channels, not "
                        "%lld",
                        (long long)params->channels);
    }
    if (resize == 0) {
        resize = view->resize > 0 ? view->resize * size / usual
                                  : (size * 8 + 3) / 7;
    }
    if (resize < size) {
        return WSR_FAIL(WSR_CONFIG,
                        "data.resize: %lld is less than data.size, %lld",
                        (long long)resize, (long long)size);
    }
    *view = (wsr__view){{3, size, size}, resize};
    return WSR_OK;
}

wsr_status wsr__files_view(wsr_dataset *dataset, const wsr__data_params *params)
{
    wsr_status status = WSR_OK;
    wsr__files *const f = dataset->files;
    WSR_TRY(make_view(&f->view, params));
    wsr__dataset_view(dataset, f->view.image);
    if (wsr__streq(params->broken.s, "skip")) {
        WSR_TRY(skip_broken(dataset));
    }
out:
    return status;
}
