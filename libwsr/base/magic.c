// SPDX-License-Identifier: Apache-2.0
//
// Tells what a file is by its first bytes. A reader that was given a file of
// another format uses it for its message: what the file is, and what to do with
// it.

#include "base/magic.h"

#include <string.h>

enum { WINDOW = 1 << 18 }; // bytes searched for words, at either end

#define STATE_DICT                                      \
    "load it in PyTorch and write its state_dict with " \
    "torch.save(model.state_dict(), PATH) or safetensors"
#define UNPACK "unpack it first"
#define REPACK "unpack it, or pack it with gzip"
#define NO_WEIGHTS                                                       \
    "weights are read from safetensors, .pth, .npz and ONNX files (the " \
    "last with the ending .onnx)"
#define NAME_IT "its name must end in .onnx"
#define NO_DATA                                                       \
    "images are read from IDX files, CIFAR's binary version, SVHN's " \
    ".mat files and folders of JPEG and PNG files"
#define IN_FILES \
    "JPEG and PNG files are read as imagefolder:DIR or as list:FILE"
#define NO_PICKLE "CIFAR's binary version is wanted, not its Python version"
#define DOWNLOAD "download the file itself"

// Bytes at an offset, and a word near either end, "" for none. The first that
// fits is taken.
typedef struct mark {
    size_t offset;
    size_t size;
    const char *bytes;
    const char *word;
    wsr__magic magic;
} mark;

#define AT(offset, bytes) (offset), sizeof(bytes) - 1, (bytes)

// Weak marks, which an image could have at its start as well, give no advice
// for data.
static const mark marks[] = {
    {AT(257, "ustar"), "", {"a tar archive", UNPACK, NULL}},
    {AT(0, "PK\x03\x04"),
     "constants.pkl",
     {"a TorchScript archive", STATE_DICT, NO_DATA}},
    {AT(0, "PK\x03\x04"),
     "data.pkl",
     {"a PyTorch file of torch.save", STATE_DICT, NO_DATA}},
    {AT(0, "PK\x03\x04"),
     ".npy",
     {"a NumPy .npz archive", NO_WEIGHTS, NO_DATA}},
    {AT(0, "PK\x03\x04"), "", {"a zip archive", UNPACK, REPACK}},
    {AT(0, "PK\x05\x06"), "", {"an empty zip archive", NO_WEIGHTS, NO_DATA}},
    {AT(0, "\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19."),
     "",
     {"a PyTorch file of torch.save in its old format", STATE_DICT, NO_DATA}},
    {AT(0, "\x80\x02"), "", {"a Python pickle", STATE_DICT, NO_PICKLE}},
    {AT(0, "\x80\x03"), "", {"a Python pickle", STATE_DICT, NO_PICKLE}},
    {AT(0, "\x80\x04\x95"), "", {"a Python pickle", STATE_DICT, NO_PICKLE}},
    {AT(0, "\x80\x05\x95"), "", {"a Python pickle", STATE_DICT, NO_PICKLE}},
    {AT(0, "\x89HDF\r\n\x1a\n"), "", {"an HDF5 file", NO_WEIGHTS, NO_DATA}},
    {AT(0, "MATLAB 5.0 MAT-file"), "", {"a MATLAB file", NO_WEIGHTS, NO_DATA}},
    {AT(0, "\x93NUMPY"), "", {"a NumPy array", NO_WEIGHTS, NO_DATA}},
    {AT(0, "GGUF"), "", {"a GGUF file", NO_WEIGHTS, NO_DATA}},
    {AT(4, "TFL3"), "", {"a TensorFlow Lite model", NO_WEIGHTS, NULL}},
    {AT(0, "\x1f\x8b"), "", {"gzip data", UNPACK, NULL}},
    {AT(0, "BZh"), "1AY&SY", {"bzip2 data", UNPACK, REPACK}},
    {AT(0, "\xfd"
           "7zXZ\0"),
     "",
     {"xz data", UNPACK, REPACK}},
    {AT(0, "\x28\xb5\x2f\xfd"), "", {"Zstandard data", UNPACK, REPACK}},
    {AT(0, "\x04\x22\x4d\x18"), "", {"LZ4 data", UNPACK, NULL}},
    {AT(0, "7z\xbc\xaf\x27\x1c"), "", {"a 7z archive", UNPACK, REPACK}},
    {AT(0, "Rar!\x1a\x07"), "", {"a RAR archive", UNPACK, REPACK}},
    {AT(0, "\x89PNG\r\n\x1a\n"), "", {"a PNG image", NO_WEIGHTS, IN_FILES}},
    {AT(0, "\xff\xd8\xff"), "", {"a JPEG image", NO_WEIGHTS, IN_FILES}},
    {AT(0, "GIF8"), "", {"a GIF image", NO_WEIGHTS, IN_FILES}},
    {AT(8, "WEBP"), "", {"a WebP image", NO_WEIGHTS, NULL}},
    {AT(0, "II*\0"), "", {"a TIFF image", NO_WEIGHTS, NULL}},
    {AT(0, "MM\0*"), "", {"a TIFF image", NO_WEIGHTS, NULL}},
    {AT(0, "P6\n"), "", {"a PPM image", NO_WEIGHTS, NULL}},
    {AT(0, "P5\n"), "", {"a PGM image", NO_WEIGHTS, NULL}},
    {AT(0, "PAR1"), "", {"a Parquet file", NO_WEIGHTS, NO_DATA}},
    {AT(0, "\0\0\x08\x01"), "", {"an IDX file of labels", NO_WEIGHTS, NULL}},
    {AT(0, "\0\0\x08\x03"), "", {"an IDX file of images", NO_WEIGHTS, NULL}},
    {AT(0, "\0\0\x08\x04"), "", {"an IDX file of images", NO_WEIGHTS, NULL}},
    {AT(0, "version https://git-lfs"),
     "",
     {"a Git LFS pointer, not the file itself", "fetch it with git lfs pull",
      "fetch it with git lfs pull"}},
    {AT(0, "<!DOCTYPE"), "", {"an HTML page", DOWNLOAD, DOWNLOAD}},
    {AT(0, "<!doctype"), "", {"an HTML page", DOWNLOAD, DOWNLOAD}},
    {AT(0, "<html"), "", {"an HTML page", DOWNLOAD, DOWNLOAD}},
    // Protocol buffers start with their first field: the version.
    {AT(0, "\x08\x01\x12"), "", {"a TensorFlow SavedModel", NO_WEIGHTS, NULL}},
    {AT(4, "\0\0\0\0{\""), "", {"a safetensors file", NULL, NULL}},
};

static bool holds(const unsigned char *bytes, size_t size, const char *word)
{
    const size_t n = strlen(word);
    for (size_t i = 0; i + n <= size; i++) {
        if (memcmp(bytes + i, word, n) == 0) {
            return true;
        }
    }
    return false;
}

// Zip archives list their members at the end, too.
bool wsr__magic_mentions(const unsigned char *bytes, size_t size,
                         const char *word)
{
    const size_t n = size < WINDOW ? size : WINDOW;
    return holds(bytes, n, word) || holds(bytes + size - n, n, word);
}

// ONNX (onnx.proto): field 1 is the version of the format, 3 to 12 so far;
// then comes the producer's name or another short field of text.
static bool is_onnx(const unsigned char *bytes, size_t size)
{
    return size > 2 && bytes[0] == 0x08 && bytes[1] >= 1 && bytes[1] <= 32 &&
           (bytes[2] & 7U) == 2 && bytes[2] >= 0x12 && bytes[2] <= 0x42;
}

const wsr__magic *wsr__magic_of(const unsigned char *bytes, size_t size)
{
    static const wsr__magic onnx = {"an ONNX model", NAME_IT, NULL};
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
        const mark *const m = &marks[i];
        if (m->offset + m->size <= size &&
            memcmp(bytes + m->offset, m->bytes, m->size) == 0 &&
            wsr__magic_mentions(bytes, size, m->word)) {
            return &m->magic;
        }
    }
    return is_onnx(bytes, size) ? &onnx : NULL;
}
