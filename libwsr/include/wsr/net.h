// SPDX-License-Identifier: Apache-2.0
//
// Networks. A network is built from a genotype or from RobNet codes, or it is a
// supernet that holds all candidate operations of a search space, or one of the
// networks that people compare with: resnet, wrn, small_cnn. It owns its
// parameters and makes graphs over them.
//
// Options of networks are text "key=value,key=value". All kinds have
//
//   classes         number of classes (10)
//   image_size      pixels of a side (0: the size that the stem is made for)
//   image_channels  channels of an image (3; small_cnn 1)
//   mean, std       normalisation of the images, (x - mean) / std: one value or
//                   [one,for,each,channel], in units of [0, 1] (0 and 1). The
//                   network does it; callers pass images in [0, 1], and the
//                   strengths of attacks refer to these
//
// Kinds that are made of cells (network, robnet, supernet) have
//
//   channels        width of the first cells (36; supernet 16)
//   layers          number of cells (20; supernet 8); two of them halve the
//                   image and double the width
//   stem            cifar (32 pixels), int (64: stride 2), imagenet (224:
//                   stride 8), imagenet_tiny (64)
//   auxiliary       training graphs have an auxiliary classifier (networks from
//                   genotypes; false)
//   drop_path       probability that training drops an operation's result
//                   (networks from genotypes; 0)
//   genotype        name or file of a genotype, used when the function gets no
//                   genotype
//   codes           name or file of RobNet codes, used likewise
//   space           search space of a supernet (darts), darts or nb201
//
// A genotype that is a cell of NAS-Bench-201, and a supernet of the space
// nb201, give the network of that benchmark: 16 channels, 17 layers, of which
// two are residual blocks; stems cifar and int, neither auxiliary nor
// drop_path.
//
// resnet has
//
//   depth           18, 34, 50, 101 or 152 (18)
//   width           channels of the first blocks (64)
//   stem            cifar (3x3; names of the repository of TRADES) or imagenet
//                   (7x7 and max pool; names of torchvision) (cifar)
//   pre_activation  norms and relus in front of the convolutions (false)
//   shortcut        with it: 1x1 convolutions read what is activated, or the
//                   source of the block (activated)
//   last_norm       with it: norm and relu behind the last block (true)
//
// wrn has
//
//   depth           6 n + 4 (34)
//   width           channels of the first blocks in units of 16 (10)
//   sub_block1      hold the unused parameters of the networks of TRADES, too
//                   (false)
//
// small_cnn, the network of TRADES for MNIST, has
//
//   dropout         probability that training drops a value behind the first
//                   linear map; 0.5 in the repository of TRADES (0)
//
// boost is a network of another kind with a searched cell beside each of its
// stages (groups of residual blocks, pairs of convolutions, cells), whose
// result is added to that of the stage; it has
//
//   base            kind and options of the network: resnet:depth=18,width=32
//                   (small_cnn)
//   genotype        name or file of a genotype. Without one the network holds
//                   all candidates of a space, as searches need it, and has no
//                   graph for other purposes
//   space           of these candidates (darts)
//
// Graphs have the input "x", images (n, c, h, w) with values in [0, 1], and
// the output "logits" (n, classes). Parameter names are those of PyTorch's
// state_dict for the same network.

#ifndef WSR_NET_H
#define WSR_NET_H

#include "wsr/genotype.h"
#include "wsr/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A network: its description and its parameters. */
typedef struct wsr_net wsr_net;

/**
 * Make a network from a genotype, with random parameters.
 *
 * @param out [out, owned] release with wsr_net_free()
 * @param genotype [copied] NULL: the one that the option `genotype` names
 * @param options [borrowed] see above, NULL for the defaults
 * @param seed of the parameters
 * @returns WSR_OK; WSR_CONFIG for an option, or for a width that the genotype
 *          cannot have; WSR_SHAPE for an image too small for the layers;
 *          WSR_NOTFOUND, WSR_FORMAT, WSR_IO from loading the genotype;
 *          WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_new(wsr_net **out,
                                            const wsr_genotype *genotype,
                                            const char *options, uint64_t seed);

/**
 * Make a RobNet, with random parameters.
 *
 * @param out [out, owned] release with wsr_net_free()
 * @param codes [copied] NULL: those that the option `codes` names
 * @param options [borrowed] see above, NULL for the defaults
 * @param seed of the parameters
 * @returns as wsr_net_new(); WSR_CONFIG when there are fewer lists of codes
 *          than cells
 */
WSR_API WSR_MUST_USE wsr_status wsr_robnet_new(wsr_net **out,
                                               const wsr_robnet_codes *codes,
                                               const char *options,
                                               uint64_t seed);

/**
 * Make a supernet, with random parameters for all candidates.
 *
 * @param out [out, owned] release with wsr_net_free()
 * @param options [borrowed] see above, NULL for the defaults
 * @param seed of the parameters
 * @returns as wsr_net_new()
 */
WSR_API WSR_MUST_USE wsr_status wsr_supernet_new(wsr_net **out,
                                                 const char *options,
                                                 uint64_t seed);

/**
 * Make a network of any kind, with random parameters.
 *
 * @param out [out, owned] release with wsr_net_free()
 * @param kind [borrowed] "network", "boost", "resnet", "robnet", "small_cnn",
 *        "supernet" or "wrn"; options name the genotype, the codes or the space
 * @param options [borrowed] see above, NULL for the defaults
 * @param seed of the parameters
 * @returns as wsr_net_new(); WSR_NOTFOUND for another kind
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_new_kind(wsr_net **out,
                                                 const char *kind,
                                                 const char *options,
                                                 uint64_t seed);

/**
 * Key of option number `i` of all kinds of networks but supernets, each key
 * once.
 *
 * @param i number of the option
 * @returns [borrowed, static] such as "channels"; NULL beyond the end
 */
WSR_API const char *wsr_net_option(size_t i);

/**
 * Meaning of option number `i`, in one line.
 *
 * @param i number of the option, from 0
 * @returns [borrowed, static] NULL beyond the end
 */
WSR_API const char *wsr_net_option_help(size_t i);

/**
 * Release a network and its parameters. Free its graphs and plans before it.
 *
 * @param net NULL is legal
 */
WSR_API void wsr_net_free(wsr_net *net);

/**
 * Kind of a network.
 *
 * @returns [borrowed, static] a name that wsr_net_new_kind() takes
 */
WSR_API const char *wsr_net_kind(const wsr_net *net);

/** Parameters of a network. @returns [borrowed] */
WSR_API wsr_params *wsr_net_params(const wsr_net *net);

/** Number of classes. @returns at least 1 */
WSR_API size_t wsr_net_classes(const wsr_net *net);

/** Shape of one image, (1, c, h, w). @returns [borrowed] */
WSR_API const wsr_shape *wsr_net_image(const wsr_net *net);

/**
 * Genotype of a network.
 *
 * @returns [borrowed] NULL for a network of another kind than "network"
 */
WSR_API const wsr_genotype *wsr_net_genotype(const wsr_net *net);

/**
 * Describe a network in one line of text.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param net a network
 * @returns WSR_OK or WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_describe(char **out,
                                                 const wsr_net *net);

/**
 * Make the graph of a network that is no supernet.
 *
 * @param out [out, owned] release with wsr_graph_free()
 * @param net must outlive the graph
 * @param training true makes a training graph: it also has the output "aux"
 *        (n, classes) if the option auxiliary is set, and the masks of
 *        wsr_net_drop_path() and wsr_net_dropout() if the option drop_path or
 *        dropout is above 0
 * @returns WSR_OK; WSR_ARG for a supernet or a boost network without a
 * genotype; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_graph(wsr_graph **out,
                                              const wsr_net *net,
                                              bool training);

/**
 * Draw new drop-path masks for a plan of a training graph. For each sample,
 * each operation other than the identity is dropped with the given probability
 * p; otherwise its result is divided by 1 - p. The masks stay until the next
 * call.
 *
 * @param plan plan of a graph of `net`; if the graph has no masks, the function
 *        does nothing
 * @param net a network
 * @param probability p, in [0, 1)
 * @param seed, step the masks depend on these two numbers only
 * @returns WSR_OK, or WSR_ARG for another probability
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_drop_path(wsr_plan *plan,
                                                  const wsr_net *net,
                                                  double probability,
                                                  uint64_t seed, uint64_t step);

/**
 * Draw new dropout masks for a plan of a training graph: each value is dropped
 * with the probability p of the option `dropout`; otherwise it is divided by
 * 1 - p. The masks stay until the next call; without one all values are
 * dropped.
 *
 * @param plan plan of a graph of `net`; if the graph has no masks, the function
 *        does nothing
 * @param net a network
 * @param seed, step the masks depend on these two numbers only
 * @returns WSR_OK
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_dropout(wsr_plan *plan,
                                                const wsr_net *net,
                                                uint64_t seed, uint64_t step);

/**
 * Number of edges of a supernet for which an architecture chooses a candidate:
 * first the edges of the normal cell, then those of the reduction cell. A boost
 * network without a genotype has as many, although all its cells are one: the
 * choices for the normal cell count.
 *
 * @returns 28 for the space darts, 0 for other networks
 */
WSR_API size_t wsr_supernet_edges(const wsr_net *net);

/**
 * Number of candidate operations on each edge of a supernet, or of a boost
 * network without a genotype.
 *
 * @returns 8 for the space darts, 0 for other networks
 */
WSR_API size_t wsr_supernet_candidates(const wsr_net *net);

/**
 * Name of candidate operation `i` of a supernet.
 *
 * @param net a network
 * @param i number of the candidate, from 0
 * @returns [borrowed, static] NULL beyond the end
 */
WSR_API const char *wsr_supernet_candidate(const wsr_net *net, size_t i);

/**
 * Make the graph of one path through a supernet. The graph holds only the
 * chosen candidates; an edge with the choice "none" costs no time.
 *
 * @param out [out, owned] release with wsr_graph_free()
 * @param net a supernet; must outlive the graph
 * @param choices [borrowed] (edges) number of a candidate for each edge
 * @param weights [borrowed] (edges) factor of each edge's result; NULL: all 1
 * @returns WSR_OK; WSR_ARG for another kind of network, a choice that does not
 *          exist, or a weight that is not finite; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_supernet_graph(wsr_graph **out,
                                                   const wsr_net *net,
                                                   const unsigned char *choices,
                                                   const float *weights);

/**
 * Write a network to a file of a format that the path's ending says (.pth,
 * .npz, .onnx, else safetensors), which is replaced as a whole or not at all.
 * Its metadata hold the network's kind, genotype and options. An ONNX file
 * holds the network in evaluation mode with its normalisation, for batches of
 * any size; wsr_net_load() reads it as a network of kind onnx that computes the
 * same logits and gradients bit for bit.
 *
 * @param net a network
 * @param path of the file
 * @returns WSR_OK, WSR_NOMEM, WSR_IO when it cannot be written, WSR_ARG for
 *          a network without a graph of its own (a supernet) or of an ONNX file
 *          in another format, WSR_UNSUPPORTED for one that ONNX cannot hold
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_save(const wsr_net *net,
                                             const char *path);

/**
 * Read a network from a safetensors, .pth or .npz file, or a classifier from an
 * ONNX file, whose name ends in ".onnx": it is of kind "onnx", its options are
 * `mean`, `std`, `range` and, where the file leaves sizes open, `image_size`
 * and `image_channels` (docs/onnx.md). What follows is about the others.
 *
 * A file that another program wrote has no such metadata. The function derives
 * the kind, widths, depths, classes, stem and auxiliary classifier from the
 * tensors, unless the options give them. Networks of cells need the option
 * `genotype` (or `codes`), residual networks and small_cnn need none. It
 * cannot derive the mean and std of the training: give them as options, unless
 * the file holds a normalisation layer (below).
 *
 * Weights may be F32, F16, BF16 (widened exactly) or F64 (rounded). Prefixes
 * that PyTorch wrappers put before all names ("module.", "_orig_mod.",
 * "model.", "1.") are ignored. If the file also holds a normalisation layer
 * with "mean" and "std" (or "mu" and "sigma"; one value, or one per channel),
 * these set the options mean and std. The function refuses a file with any
 * other additional tensor, since that may belong to a layer which changes the
 * result.
 *
 * @param out [out, owned] release with wsr_net_free()
 * @param path of such a file
 * @param options [borrowed] override what the file says; NULL for none
 * @returns WSR_OK; WSR_IO; WSR_FORMAT, naming the tensors, when some are
 *          missing, of another shape, or too many; WSR_CONFIG for an option;
 *          WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_load(wsr_net **out, const char *path,
                                             const char *options);

/**
 * Load the parameters and running statistics of a file into an existing
 * network, for example to train it further.
 *
 * @param net a network with the architecture of the file: the same tensors with
 *        the same shapes, and the kind, stem, mean, std, genotype and codes of
 *        the file's metadata, if it has any; unchanged on failure
 * @param path path of such a file, as for wsr_net_load()
 * @returns WSR_OK; WSR_IO; WSR_FORMAT, naming the tensors or the property that
 *          differs; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_load_params(wsr_net *net,
                                                    const char *path);

#ifdef __cplusplus
}
#endif

#endif
