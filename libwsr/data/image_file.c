// SPDX-License-Identifier: Apache-2.0
//
// A file with an image: read as a whole, since the part of it that a window
// needs is known only from its header on, and told apart by its first bytes. As
// for Pillow, its name says nothing: ImageNet has a PNG image among its .JPEG.

#include "data/image_file.h"

#include "base/magic.h"
#include "data/data.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_BYTES ((int64_t)1 << 28)

// Make room before the file is opened, so that nothing is left open.
static wsr_status make_room(wsr__image_file *file)
{
    wsr_status status = WSR_OK;
    struct stat info;
    void *bytes = file->bytes;
    if (stat(file->path, &info) != 0) {
        return wsr__fail_open(file->path, errno);
    }
    if (!S_ISREG(info.st_mode)) {
        return WSR_FAIL(WSR_IO, "%s: is not a regular file", file->path);
    }
    if (info.st_size > MOST_BYTES) {
        return WSR_FAIL(WSR_FORMAT, "%s: %lld bytes are too many for an image",
                        file->path, (long long)info.st_size);
    }
    file->size = (size_t)info.st_size;
    WSR_TRY(wsr__reserve(&bytes, &file->room, file->size, 1));
out:
    file->bytes = bytes;
    return status;
}

static wsr_status read_bytes(wsr__image_file *file)
{
    wsr_status status = WSR_OK;
    FILE *stream = NULL;
    WSR_TRY(make_room(file));
    stream = fopen(file->path, "rb");
    if (stream == NULL) {
        status = wsr__fail_open(file->path, errno);
        goto out;
    }
    if (fread(file->bytes, 1, file->size, stream) < file->size) {
        status = wsr__fail_errno(file->path, ferror(stream) ? errno : EIO);
    }
out:
    if (stream != NULL) {
        (void)fclose(stream);
    }
    return status;
}

static bool starts(const wsr__image_file *file, const char *bytes, size_t n)
{
    return file->size >= n && memcmp(file->bytes, bytes, n) == 0;
}

static wsr_status unknown(const wsr__image_file *file)
{
    const wsr__magic *const magic = wsr__magic_of(file->bytes, file->size);
    return WSR_FAIL(WSR_UNSUPPORTED, "%s: is %s, not a JPEG or PNG image",
                    file->path,
                    magic != NULL    ? magic->what
                    : file->size > 0 ? "of an unknown format"
                                     : "empty");
}

wsr_status wsr__image_open(wsr__image_file *file, const char *path)
{
    wsr_status status = WSR_OK;
    file->path = path;
    WSR_TRY(read_bytes(file));
    if (starts(file, "\xff\xd8\xff", 3)) {
        WSR_TRY(wsr__jpeg_open(file));
    } else if (starts(file, "\x89PNG\r\n\x1a\n", 8)) {
        WSR_TRY(wsr__png_open(file));
    } else {
        status = unknown(file);
    }
out:
    return status;
}

void wsr__image_close(wsr__image_file *file)
{
    wsr__jpeg_free(file->jpeg);
    wsr__free(file->bytes);
    *file = (wsr__image_file){0};
}

wsr_status wsr__image_check(const wsr__image_file *file, int64_t h, int64_t w)
{
    if (h < 1 || w < 1 || h > WSR__BITMAP_BYTES / 3 / w) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: an image of %lldx%lld pixels is empty or too "
                        "large",
                        file->path, (long long)h, (long long)w);
    }
    return WSR_OK;
}
