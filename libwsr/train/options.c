// SPDX-License-Identifier: Apache-2.0
//
// The options of the section "train".

#include "base/fidelity.h"
#include "train/train.h"

static const char *const mix_modes[] = {"batch", "pair", "elem", NULL};
const char *const wsr__train_norms[] = {"rank", "global", NULL};
static const char *const keeps[] = {"last", "best_robust", "best_clean", NULL};

// Endings of paths that wsr_net_save() knows.
static const char *const exports[] = {"none", "pth", "npz", "onnx", NULL};

#define AT(field) offsetof(wsr__train_params, field)

const wsr__option wsr__train_schema[] = {
    {"trainer", WSR__TEXT, AT(trainer), "madry", 0, 0, "",
     "madry:eps=0.031,steps=7, trades:beta=6, fast, natural, ...", NULL},
    {"epochs", WSR__INT, AT(epochs), "100", 1, 100000, "epochs",
     "passes over the training images", NULL},
    {"batch", WSR__INT, AT(batch), "64", 1, 65536, "images", "images per step",
     NULL},
    {"sizes", WSR__TEXT, AT(sizes), "", 0, 0, "",
     "phases of images of one size, [EPOCH:SIZE:BATCH,...], as "
     "[1:128:512,7:224:224]; empty: train.batch images of data.size",
     NULL},
    {"optimizer", WSR__TEXT, AT(optimizer),
     "sgd:momentum=0.9,weight_decay=1e-4", 0, 0, "",
     "sgd, adam or adamw with their options", NULL},
    {"lr", WSR__FLOAT, AT(lr), "0.1", 0, 100, "", "base learning rate", NULL},
    {"schedule", WSR__TEXT, AT(schedule), "cosine", 0, 0, "",
     "of the learning rate by epoch: cosine, step:milestones=[99,149], ...",
     NULL},
    {"grad_clip", WSR__FLOAT, AT(grad_clip), "5", 0, 1e9, "",
     "largest norm of all gradients together, 0: any", NULL},
    {"auxiliary_weight", WSR__FLOAT, AT(auxiliary_weight), "0.4", 0, 100, "",
     "of the second classifier's loss, where there is one", NULL},
    {"label_smoothing", WSR__FLOAT, AT(label_smoothing), "0", 0, 0.99, "",
     "share of the label that all classes get", NULL},
    {"mixup", WSR__FLOAT, AT(mixup), "0", 0, 100, "",
     "weighted sums of two images, weights from Beta(this, this); 0: none",
     NULL},
    {"cutmix", WSR__FLOAT, AT(cutmix), "0", 0, 100, "",
     "rectangles of another image, areas from Beta(this, this); 0: none", NULL},
    {"mix_switch", WSR__FLOAT, AT(mix_switch), "0.5", 0, 1, "",
     "probability of cutmix where mixup is wanted too", NULL},
    {"mix_prob", WSR__FLOAT, AT(mix_prob), "1", 0, 1, "",
     "probability of any mixture", NULL},
    {"mix_mode", WSR__WORD, AT(mix_mode), "batch", 0, 0, "",
     "what one mixture is drawn for: a batch, a pair of images, an image",
     mix_modes},
    {"teacher", WSR__TEXT, AT(teacher), "", 0, 0, "",
     "network file whose predictions are learned from, of any kind; a resumed "
     "run reads it again; empty: none",
     NULL},
    {"temperature", WSR__FLOAT, AT(temperature), "4", 0.01, 1000, "",
     "of the teacher's predictions", NULL},
    {"teacher_weight", WSR__FLOAT, AT(teacher_weight), "1", 0, 1, "",
     "of the teacher's loss; the rest is that of the labels", NULL},
    {"teacher_fidelity", WSR__WORD, AT(teacher_fidelity), "intended", 0, 0, "",
     "released: the teacher's loss is a mean over classes too, and trainers "
     "that attack show it images without normalisation",
     wsr__fidelity_words},
    {"shards", WSR__INT, AT(shards), "1", 1, 65536, "",
     "parts of a batch that are attacked and normalised each by itself, as on "
     "so many GPUs",
     NULL},
    {"deterministic", WSR__TEXT, AT(deterministic), "", 0, 0, "",
     "shards:N: the same bits on any number of processes (train.shards=N); "
     "empty: a part for each process where train.shards is 1",
     NULL},
    {"norms", WSR__WORD, AT(norms), "rank", 0, 0, "",
     "images that a batch norm sees in training: a part, or with global all "
     "parts of the batch",
     wsr__train_norms},
    {"drop_path_ramp", WSR__BOOL, AT(drop_path_ramp), "true", 0, 0, "",
     "net.drop_path rises from 0 over the epochs", NULL},
    {"augment", WSR__TEXT, AT(augment), "[random_crop:pad=4,flip]", 0, 0, "",
     "what is done to training images, in that order", NULL},
    {"drop_last", WSR__BOOL, AT(drop_last), "false", 0, 0, "",
     "leave out an epoch's last batch when it is smaller", NULL},
    {"repeats", WSR__INT, AT(repeats), "1", 1, 64, "",
     "times that an epoch shows an image, each augmented anew", NULL},
    {"workers", WSR__INT, AT(workers), "0", 0, 256, "threads",
     "that read and augment images beside the training, 0: one", NULL},
    {"eval_every", WSR__INT, AT(eval_every), "1", 0, 100000, "epochs",
     "between validations on test images, 0: none", NULL},
    {"eval_count", WSR__INT, AT(eval_count), "256", 0, 1000000, "images",
     "of a validation, 0: all", NULL},
    {"eval_attack", WSR__TEXT, AT(eval_attack), "pgd:steps=10", 0, 0, "",
     "attack of a validation", NULL},
    {"eval_eps", WSR__FLOAT, AT(eval_eps), "0.031", 0, 1, "", "its strength",
     NULL},
    {"keep", WSR__WORD, AT(keep), "last", 0, 0, "",
     "parameters that the network has in the end", keeps},
    {"export", WSR__WORD, AT(export), "none", 0, 0, "",
     "format in which the network is written too, net.pth, net.npz or net.onnx "
     "beside net.safetensors",
     exports},
    {"clean_share", WSR__FLOAT, AT(clean_share), "0", 0, 1, "",
     "share of each batch that the trainer does not attack", NULL},
    {"awp", WSR__FLOAT, AT(awp), "0", 0, 1, "",
     "adversarial weight perturbation: its size relative to the weights, 0: "
     "none",
     NULL},
    {"awp_start", WSR__INT, AT(awp_start), "0", 0, 100000, "epochs",
     "without perturbation at first", NULL},
    {"ema", WSR__FLOAT, AT(ema), "0", 0, 0.999999, "",
     "decay of an exponential average of the parameters, which the network has "
     "in the end; 0: none",
     NULL},
    {"swa", WSR__INT, AT(swa), "0", 0, 100000, "",
     "first epoch, from 1, of a plain average of the parameters, which the "
     "network has in the end; 0: none",
     NULL},
    {"log_every", WSR__INT, AT(log_every), "50", 0, 1000000, "steps",
     "between lines of the log within an epoch, 0: none", NULL},
    {"save_every", WSR__INT, AT(save_every), "0", 0, 1000000, "steps",
     "between checkpoints within an epoch, 0: none", NULL},
    {"init", WSR__TEXT, AT(init), "", 0, 0, "",
     "network file whose parameters training starts from, of the same "
     "architecture; empty: random parameters",
     NULL},
    {0},
};
