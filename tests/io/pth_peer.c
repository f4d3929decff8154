// SPDX-License-Identifier: Apache-2.0
//
// pth_peer NET IMAGES.npz LOGITS.npz COPY [OPTIONS]
//
// What pth.py and nb201.py compare with PyTorch: the logits of a network in a
// file, of the images "x", and the network written again.

#include "io/io.h"
#include "wsr/attack.h"

static wsr_status run(char **argv)
{
    wsr_status status = WSR_OK;
    wsr_net *net = NULL;
    wsr_model *model = NULL;
    wsr__st *st = NULL;
    wsr__st_builder *builder = NULL;
    const wsr__st_tensor *x = NULL;
    float *images = NULL;
    float *logits = NULL;
    char options[1024];
    WSR_TRY(wsr__st_open(&st, argv[2]));
    WSR_TRY(wsr__st_need(&x, st, "x"));
    (void)snprintf(options, sizeof(options), "image_size=%lld%s%s",
                   (long long)x->dims[2], argv[5] != NULL ? "," : "",
                   argv[5] != NULL ? argv[5] : "");
    WSR_TRY(wsr_net_load(&net, argv[1], options));
    WSR_TRY(wsr_model_from_net(&model, net, 0));
    const size_t n = (size_t)x->dims[0];
    const size_t classes = wsr_model_classes(model);
    images = wsr__alloc(x->count, sizeof(float));
    logits = wsr__alloc(n * classes, sizeof(float));
    WSR_TRY(images != NULL && logits != NULL ? WSR_OK : WSR_NOMEM);
    WSR_TRY(wsr__st_read_f32(images, st, "x", x->count));
    WSR_TRY(wsr_model_logits(logits, model, images, n));
    WSR_TRY(wsr__st_builder_new(&builder));
    WSR_TRY(wsr__st_add_f32(builder, "logits", logits, n * classes));
    WSR_TRY(wsr__st_write(builder, argv[3]));
    WSR_TRY(wsr_net_save(net, argv[4]));
out:
    wsr__free(images);
    wsr__free(logits);
    wsr__st_builder_free(builder);
    wsr__st_free(st);
    wsr_model_free(model);
    wsr_net_free(net);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 5 && argc != 6) {
        (void)fprintf(stderr, "pth_peer NET IMAGES LOGITS COPY [OPTIONS]\n");
        return 2;
    }
    if (run(argv) != WSR_OK) {
        (void)fprintf(stderr, "%s\n", wsr_error_detail());
        return 1;
    }
    return 0;
}
