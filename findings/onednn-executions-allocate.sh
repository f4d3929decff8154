#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# oneDNN, version 2.6.3 (Debian 12): every execution of a primitive asks the
# system for memory, with a scratchpad of the caller's and the simplest of
# primitives too. So code that is to run without allocating cannot be built on
# it; and where such a request is refused, its C interface throws a C++
# exception instead of returning dnnl_out_of_memory.
# Exits with 1 when executions ask for nothing.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq download libdnnl2=2.6.3-1 libdnnl-dev=2.6.3-1
for package in *.deb; do
    dpkg -x "$package" root
done
lib=$(dirname "$(find root -name 'libdnnl.so.2' | head -1)")

cat >executions.c <<'END'
#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t size);

static long requests;

void *malloc(size_t size)
{
    requests++;
    return __libc_malloc(size);
}

int main(void)
{
    static float src[8], dst[8];
    const dnnl_dims_t dims = {8};
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_memory_desc_t md;
    dnnl_eltwise_desc_t relu;
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t primitive;
    dnnl_memory_t in, out;
    dnnl_engine_create(&engine, dnnl_cpu, 0);
    dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
    dnnl_memory_desc_init_by_tag(&md, 1, dims, dnnl_f32, dnnl_a);
    dnnl_eltwise_forward_desc_init(&relu, dnnl_forward_inference,
                                   dnnl_eltwise_relu, &md, 0, 0);
    dnnl_primitive_attr_create(&attr);
    dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    dnnl_primitive_desc_create(&pd, &relu, attr, engine, NULL);
    dnnl_memory_create(&in, &md, engine, src);
    dnnl_memory_create(&out, &md, engine, dst);
    if (dnnl_primitive_create(&primitive, pd) != dnnl_success) {
        return 3;
    }
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, in}, {DNNL_ARG_DST, out}};
    dnnl_primitive_execute(primitive, stream, 2, args);
    requests = 0;
    const dnnl_status_t status =
        dnnl_primitive_execute(primitive, stream, 2, args);
    printf("second execution: status %d, %ld requests\n", (int)status,
           requests);
    return status == dnnl_success && requests > 0 ? 0 : 4;
}
END
cc -Iroot/usr/include -Iroot/usr/include/x86_64-linux-gnu executions.c \
    "$lib/libdnnl.so.2" -o executions
export LD_LIBRARY_PATH=$lib
echo "oneDNN 2.6.3"
./executions
