// SPDX-License-Identifier: Apache-2.0
//
// Files of torch.save(): what their two formats and the state dict share.
//
// The state dict is the dict with tensors that a checkpoint holds under one of
// the usual names ("state_dict", "model", "net", ...; averaged ones, "ema",
// where there is no other), or the only one, or the whole.

#ifndef WSR_IO_PTH_H
#define WSR_IO_PTH_H

#include "io/format.h"
#include "io/pickle.h"

/// Finds the bytes of a storage, from its view's begin on.
typedef struct wsr__pth_source {
    wsr_status (*find)(const unsigned char **data, size_t *size, void *ctx,
                       const wsr__torch_storage *storage);
    void *ctx;
    bool swapped; // elements are big-endian
} wsr__pth_source;

/// Append the tensors of the state dict in a pickle.
wsr_status wsr__pth_take(wsr__st *st, const wsr__pickle *pickle,
                         const wsr__pth_source *source);

/// Whether bytes are the format before torch 1.6, and its reader.
bool wsr__pth_is_legacy(const unsigned char *bytes, size_t size);
wsr_status wsr__pth_read_legacy(wsr__st *st);

/// Write a state dict.
wsr_status wsr__pth_write(wsr__st_builder *builder, const char *path);

#endif
