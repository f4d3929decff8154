#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bad_input.sh SCRATCH wsr-search wsr-train wsr-attack wsr-estimate
#
# Bad input must get one clear line on stderr, nothing on stdout, exit code 1
# or 2, and must leave no half-written file. Programs that are not there are
# passed over.
set -u

scratch=$1
search=$2
train=$3
attack=$4
estimate=$5
failures=0
checks=0

rm -rf "$scratch"
mkdir -p "$scratch"
cd "$scratch" || exit 1

# bad CODE WORDS COMMAND...: the command must fail so, with the words in its
# only line.
bad()
{
    local code=$1 words=$2
    shift 2
    [ -x "$1" ] || return 0
    checks=$((checks + 1))
    timeout -k 2 60 "$@" >stdout 2>stderr
    local got=$?
    local lines
    lines=$(wc -l <stderr)
    if [ "$got" -ne "$code" ] || [ "$lines" -ne 1 ] || [ -s stdout ] ||
        ! grep -qF -- "$words" stderr; then
        failures=$((failures + 1))
        echo "FAILED: $*"
        echo "  exit $got, wanted $code; $lines lines, wanted '$words':"
        sed 's/^/  | /' stderr stdout | head -5
    fi
}

# absent PATH: what a failed run must not leave behind.
absent()
{
    checks=$((checks + 1))
    if [ -e "$1" ]; then
        failures=$((failures + 1))
        echo "FAILED: $1 was left behind"
    fi
}

# good COMMAND...: the command must succeed.
good()
{
    [ -x "$1" ] || return 0
    checks=$((checks + 1))
    if ! timeout -k 2 60 "$@" >stdout 2>stderr; then
        failures=$((failures + 1))
        echo "FAILED: $*"
        sed 's/^/  | /' stderr | head -5
    fi
}

# ------------------------------------------------------- files that are wrong

head -c 3000 /dev/urandom >noise
printf '\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\x4c' >cut.gz
printf '\x00\x00\x08\x03\x00\x00\x00\x02\x00\x00\x00\x04\x00\x00\x00\x04' >short
printf '\x00\x00\x08\x01\x00\x00\x00\x02\x00\xc8' >labels
{
    printf '\x00\x00\x08\x03\x00\x00\x00\x02\x00\x00\x00\x04\x00\x00\x00\x04'
    head -c 32 /dev/zero
} >images
mkdir -p cifar full
head -c 5000 /dev/zero >cifar/test_batch.bin
for i in 1 2 3 4 5; do
    head -c 5000 /dev/zero >cifar/data_batch_$i.bin
done
printf '\xff\xff\x00\x00\x00\x00\x00\x00{}' >bad.safetensors
echo "a result" >full/result
cat >illegal.yaml <<END
name: illegal
normal: [[sep_conv_3x3, 0], [sep_conv_3x3, 9], [skip_connect, 0],
  [skip_connect, 1], [skip_connect, 0], [skip_connect, 1], [skip_connect, 0],
  [skip_connect, 1]]
normal_concat: [2, 3, 4, 5]
reduce: [[skip_connect, 0], [skip_connect, 1], [skip_connect, 0],
  [skip_connect, 1], [skip_connect, 0], [skip_connect, 1], [skip_connect, 0],
  [skip_connect, 1]]
reduce_concat: [2, 3, 4, 5]
END
sed 's/sep_conv_3x3, 9/sep_conv_3x9, 1/' illegal.yaml >unknown-op.yaml

# ------------------------------------------------------------ every program

for tool in "$search" "$train" "$estimate"; do
    name=$(basename "$tool")
    more= # what it needs besides
    [ "$tool" = "$estimate" ] && more="--networks cna_r"
    bad 2 "did you mean --" "$tool" --uot x
    bad 2 "needs a value" "$tool" --out
    bad 2 "--out" "$tool" --set data.spec=synthetic
    bad 2 "did you mean" "$tool" --out x --set data.spce=synthetic
    bad 2 "outside [" "$tool" --out x --set data.limit=-3
    bad 2 "seed" "$tool" --out x --seed many
    bad 2 "outside [1, 1024]" "$tool" --out x --threads 0
    bad 2 "there is no" "$tool" --out x --preset qiuck
    bad 2 "missing.yaml" "$tool" --out x --config missing.yaml
    bad 2 "noise" "$tool" --out x --config noise
    bad 2 "exclude each other" "$tool" --out x --preset quick --config a.yaml
    bad 2 "nowhere" "$tool" --resume nowhere
    # shellcheck disable=SC2086 # no more is no word
    bad 2 "did you mean 'synthetic'" "$tool" --out x --data synthetics $more
    bad 2 "did you mean 'data.spec'" "$tool" --set data.spce=synthetic
    bad 2 "outside [" "$tool" --set data.limit=-3
    absent x
    # A start that fails leaves no folders, but for those that were there.
    mkdir -p old/empty
    for out in x/ deep//er/x ./x old/new old/empty old/empty/; do
        # shellcheck disable=SC2086
        bad 2 "missing" "$tool" --out $out --data cifar10:missing $more
    done
    absent x
    absent deep
    absent old/new
    checks=$((checks + 1))
    if ! rmdir old/empty old; then
        failures=$((failures + 1))
        echo "FAILED: a folder that was there before is gone, or not empty"
    fi
done
for tool in "$search" "$train" "$attack" "$estimate"; do
    [ -x "$tool" ] || continue
    bad 2 "did you mean 'attack:pgd'" "$tool" --help attack:pgdd
    bad 2 "did you mean 'attack'" "$tool" --help atack
    bad 2 "did you mean 'data'" "$tool" --help=daat
    bad 2 "there is no topic 'xyzzyxyz'" "$tool" --help xyzzyxyz
    bad 2 "there is no topic ''" "$tool" --help ''
    # help LINES WORDS TOPIC: so many lines at most, with the words.
    for page in "44|--help [TOPIC]|" "40|random_start|attack:pgd" \
        "66|pgd: |attack" "20|data.spec=|data" "9|data.spec=|data.spec" \
        "9999|random_start|all" "9999|data.spec=|all" \
        "60|fashion-mnist: |dataset"; do
        IFS='|' read -r most words topic <<<"$page"
        checks=$((checks + 1))
        # shellcheck disable=SC2086 # no topic is no word
        if ! "$tool" --help $topic >stdout 2>stderr || [ -s stderr ] ||
            [ "$(wc -l <stdout)" -gt "$most" ] ||
            grep -qE '.{81}' stdout || ! grep -qF -- "$words" stdout; then
            failures=$((failures + 1))
            echo "FAILED: $(basename "$tool") --help $topic"
            wc -l stdout
        fi
    done
done

# ----------------------------------------------------------------- wsr-train

genotype="--genotype cna_r"
bad 2 "no_such_thing" "$train" --out y --data synthetic --genotype no_such_thing
bad 1 "illegal.yaml:2" "$train" --out y --data synthetic \
    --genotype illegal.yaml
bad 1 "sep_conv_3x9" "$train" --out y --data synthetic \
    --genotype unknown-op.yaml
bad 1 "short" "$train" --out y $genotype --data idx:short,labels
bad 1 "cut.gz" "$train" --out y $genotype --data idx:cut.gz,labels
bad 1 "noise" "$train" --out y $genotype --data idx:noise,labels
bad 1 "data_batch_1.bin" "$train" --out y $genotype --data cifar10:cifar
bad 2 "missing" "$train" --out y $genotype --data cifar10:missing
bad 1 "/dev/null/y" "$train" --out /dev/null/y $genotype --data synthetic
absent y

# ---------------------------------------------------------------- wsr-search

bad 2 "not empty" "$search" --out full --data synthetic
bad 1 "/dev/null/y" "$search" --out /dev/null/y --data synthetic

# ---------------------------------------------------------------- wsr-attack

bad 2 "did you mean --net" "$attack" --nte x
bad 2 "net.file" "$attack" --data synthetic
bad 2 "data.spec" "$attack" --net bad.safetensors
bad 1 "missing.safetensors" "$attack" --net missing.safetensors \
    --data synthetic
bad 1 "bad.safetensors" "$attack" --net bad.safetensors --data synthetic
bad 1 "noise" "$attack" --net noise --data synthetic
bad 2 "did you mean 'attack.count'" "$attack" --net noise --data synthetic \
    --set attack.cuont=3
bad 2 "is not a strength" "$attack" --net noise --data synthetic --eps 0.1,x
bad 2 "is not a strength" "$attack" --net noise --data synthetic --eps -1
bad 2 "is not a strength" "$attack" --net noise --data synthetic --eps nan
bad 2 "nowhere" "$attack" --resume nowhere
bad 2 "not empty" "$attack" --net noise --data synthetic --out full
# What is wrong with the usage shows before any file is read.
bad 2 "did you mean 'pgd'" "$attack" --net missing --data missing --attack pdg
bad 2 "pgd.steps" "$attack" --net missing --data synthetic --attack pgd:steps=0
bad 2 "is not finite" "$attack" --net missing --data synthetic --attack fgsm \
    --eps inf
bad 2 "attack.target_class" "$attack" --net missing --data synthetic \
    --target-class many
bad 2 "attack.target_class: 2: excludes attack.target=least" "$attack" \
    --net missing --data synthetic --target-class 2 --set attack.target=least
bad 2 "attack.target: deepfool knows no targets" "$attack" --net missing \
    --data synthetic --target-class 2 --attack deepfool
bad 2 "attack.save: nowhere/x.safetensors" "$attack" --net missing \
    --data synthetic --save nowhere/x.safetensors

# -------------------------------------------------------------- wsr-estimate

bad 2 "networks: is empty" "$estimate" --out e --data synthetic
bad 2 "variants: is empty" "$estimate" --out e --data synthetic \
    --networks cna_r --variants '[]'
bad 2 "did you mean 'e_ane'" "$estimate" --out e --data synthetic \
    --networks cna_r --variants an,e_anne
bad 2 "did you mean 'an.lr'" "$estimate" --out e --data synthetic \
    --networks cna_r --variants an:lrr=1
bad 2 "did you mean 'net.channels'" "$estimate" --out e --data synthetic \
    --networks cna_r:chanels=4
bad 2 "no_such_thing" "$estimate" --out e --data synthetic \
    --networks no_such_thing
bad 1 "nowhere.safetensors" "$estimate" --out e --data synthetic \
    --networks nowhere.safetensors
bad 1 "bad.safetensors" "$estimate" --out e --data synthetic \
    --networks bad.safetensors
bad 2 "attack.sources" "$estimate" --out e --data synthetic --networks cna_r \
    --set attack.sources=0,0.03
bad 2 "does not ascend" "$estimate" --out e --data synthetic --networks cna_r \
    --set attack.eps=0.06,0.03
bad 2 "net.genotype" "$estimate" --out e --data synthetic --networks cna_r \
    --set net.genotype=cna_r
bad 2 "train.init" "$estimate" --out e --data synthetic --networks cna_r \
    --set train.init=x.safetensors
bad 2 "not empty" "$estimate" --out full --data synthetic --networks cna_r
absent e

# A network to attack: what training leaves when it hardly trains.
net=small/net.safetensors
tiny="--set data.limit=8 --set data.test_limit=8 --set net.channels=4
    --set net.layers=1 --set train.epochs=1 --set train.batch=8
    --set train.trainer=natural --set train.eval_every=0
    --set eval.attack=fgsm --set eval.eps=0.03 --set eval.count=8"
if [ -x "$train" ] && [ -x "$attack" ]; then
    if ! timeout -k 2 120 "$train" --quiet --out small --data synthetic $genotype \
        $tiny; then
        failures=$((failures + 1))
        echo "FAILED: no network to attack"
    fi
    bad 2 "did you mean 'pgd'" "$attack" --net $net --data synthetic \
        --attack pdg
    bad 2 "pgd.steps" "$attack" --net $net --data synthetic \
        --attack pgd:steps=0
    bad 2 "did you mean 'pgd.steps'" "$attack" --net $net --data synthetic \
        --attack pgd:stpes=1
    bad 2 "attack.stop" "$attack" --net $net --data synthetic \
        --set attack.stop=maybe
    bad 2 "count" "$attack" --net $net --data synthetic --count 1000000
    bad 1 "/dev/null/y" "$attack" --net $net --data synthetic --count 4 \
        --attack fgsm --out /dev/null/y
    bad 2 "attack.target_class: 10 is outside [0, 9]" "$attack" --net $net \
        --data synthetic --target-class 10 --out z
    bad 2 "of other classes than the target" "$attack" --net $net \
        --data synthetic --set data.limit=20 --target-class 3 --count 20
    bad 2 "attack.target: target_class" "$attack" --net $net \
        --data synthetic --target-class 1 --source $net
    bad 2 "knows no attack.target_class" "$attack" --net $net --data synthetic \
        --target-class 1 --set attack.fidelity=released
    absent z
    bad 2 "there are apgd_ce, apgd_dlr," "$attack" --net $net --data synthetic \
        --attack xyzzyx
    bad 2 "is not finite" "$attack" --net $net --data synthetic \
        --attack fgsm --eps inf
    bad 2 "knows no targets" "$attack" --net $net --data synthetic \
        --attack deepfool --set attack.target=least
    bad 2 "attack.show" "$attack" --net $net --data synthetic \
        --attack fgsm --set attack.show=-1
    bad 2 "attack.fidelity" "$attack" --net $net --data synthetic \
        --set attack.fidelity=paper
    bad 2 "pgd alone" "$attack" --net $net --data synthetic \
        --attack fgsm --set attack.fidelity=released
    bad 2 "knows no attack.target" "$attack" --net $net --data synthetic \
        --set attack.target=least --set attack.fidelity=released
    bad 2 "without a folder" "$attack" --net $net --data synthetic \
        --out nothing --set attack.fidelity=released
    absent nothing
    bad 2 "attack.target: least" "$attack" --net $net --data synthetic \
        --source $net --set attack.target=least
    bad 2 "is not an option" "$attack" --net $net --preset quick
    # Saved images that are checked, and runs that are compared.
    bad 2 "attack.save" "$attack" --net $net --data synthetic --save nowhere/x/
    bad 2 "holds one array" "$attack" --net $net --data synthetic \
        --attack fgsm,pgd --save x.npy
    bad 1 "no/net.onnx" "$attack" --net $net --export no/net.onnx
    bad 2 "net.file" "$attack" --export net.onnx
    bad 2 "has no meaning" "$attack" --net $net --export x.onnx --eps 0.1
    bad 2 "none of --dry-run" "$attack" --net $net --export x.onnx --dry-run
    bad 1 "nothing.pth" "$attack" --net nothing.pth --export x.onnx
    absent x.onnx
    bad 1 "missing.npz" "$attack" --net $net --verify missing.npz
    bad 1 "noise" "$attack" --net $net --verify noise
    bad 1 "no clean images" "$attack" --net $net --verify $net
    bad 2 "has no meaning" "$attack" --net $net --verify x.npz --count 3
    bad 2 "net.file" "$attack" --verify x.npz
    bad 2 "neither --dry-run" "$attack" --net $net --verify x.npz --dry-run
    bad 2 "needs a value" "$attack" --compare
    bad 2 "--out" "$attack" --compare nowhere noise
    bad 2 "1 runs are outside" "$attack" --compare nowhere --out c
    bad 2 "nowhere: is no folder of an" "$attack" --compare nowhere n --out c
    good "$attack" --net $net --data synthetic --attack fgsm --count 4 \
        --quiet --out run-a
    good "$attack" --net $net --data synthetic --attack fgsm --count 5 \
        --quiet --out run-b
    bad 2 "are over 4 and 5 images" "$attack" --compare run-a run-b --out c
    good "$attack" --compare run-a run-a --out d --quiet
    absent c
    # Networks of other data than those at hand.
    bad 2 "takes images (1, 3, 32, 32), the data have (3, 28, 28)" "$estimate" \
        --out e --data synthetic:size=28 --networks $net
    bad 2 "has 10 classes, the data 7" "$estimate" --out e \
        --data synthetic:classes=7 --networks cna_r,$net
    absent e
    # Options of the network are those of the library.
    fgsm="--data synthetic --attack fgsm --count 4 --quiet"
    good "$attack" --net $net $fgsm --set net.mean=0.4 --set net.std=0.2
    good "$attack" --net $net $fgsm --set net.mean=0.4,0.5,0.6 \
        --set "net.std=[0.2, 0.2, 0.2]"
    good "$attack" --net $net $fgsm --source $net --set source.std=0.2 \
        --set net.image_size=32
    good "$attack" --net $net --data synthetic:size=16 --attack fgsm \
        --count 4 --quiet --set net.image_size=16
    bad 2 "did you mean 'net.image_size'" "$attack" --net $net $fgsm \
        --set net.image_sise=16
    bad 2 "image_size: 'x'" "$attack" --net $net $fgsm \
        --set net.image_size=x
    bad 2 "std: 0 is outside" "$attack" --net $net $fgsm \
        --set net.std=0
    bad 2 "std: 'nan'" "$attack" --net $net $fgsm --set net.std=nan
    bad 2 "2 values do not fit 3 channels" "$attack" --net $net $fgsm \
        --set net.mean=0.1,0.2
    bad 2 "2 values do not fit 3 channels" "$attack" --net $net $fgsm \
        --source $net --set source.std=0.1,0.2
    # Normalised images are the network's matter, and so is what it starts from.
    bad 2 "net.mean, net.std" "$train" --out none --data synthetic $genotype \
        $tiny --set "train.augment=[normalize:mean=0.3,std=0.3]"
    absent none/config.yaml
    good "$train" --quiet --out on --data synthetic $genotype $tiny \
        --set train.init=$net
    bad 1 "stem.0.weight (12, 3, 3, 3), not (24, 3, 3, 3)" "$train" --out none \
        --data synthetic $genotype $tiny --set train.init=$net \
        --set net.channels=8
    bad 1 "train.init: nowhere" "$train" --out none --data synthetic $genotype \
        $tiny --set train.init=nowhere
    absent none
    bad 2 "a file is needed" "$attack" --net $net --data synthetic \
        --attack estimator
    bad 1 "nowhere" "$attack" --net $net --data synthetic \
        --attack estimator:net=nowhere
    bad 1 "nowhere" "$attack" --net $net --data synthetic --source nowhere
    # Data that do not fit the network.
    bad 2 "(3, 28, 28), the model takes (3, 32, 32)" "$attack" --net $net \
        --data synthetic:size=28 --set data.size=28 --attack fgsm
    bad 2 "the data have 7 classes, the network 10" "$attack" --net $net \
        --data synthetic:classes=7 --attack fgsm
    bad 2 "the data have 201 classes" "$attack" --net $net \
        --data idx:images,labels --attack fgsm
    # A network whose last weight is not a number.
    cp $net nan.safetensors
    printf '\x00\x00\xc0\x7f' | dd of=nan.safetensors bs=1 conv=notrunc \
        seek=$(($(wc -c <$net) - 4)) 2>dd.log
    bad 1 "in the batch of images 0 to" "$attack" --net nan.safetensors \
        --data synthetic --attack fgsm
    head -c 4000 $net >cut.safetensors
    bad 1 "cut.safetensors" "$attack" --net cut.safetensors --data synthetic
    # Training that breaks down names the step and the tensor.
    bad 1 "not finite" "$train" --quiet --out nan --data synthetic $genotype \
        $tiny --set train.epochs=100 --set train.lr=10 --set train.grad_clip=0 \
        --set train.optimizer=sgd:momentum=0.9,weight_decay=1
    if ! grep -qE "epoch [0-9]+, step [0-9]+: gradient of [a-z0-9.]+:" stderr; then
        failures=$((failures + 1))
        echo "FAILED: the message does not say where training broke down"
    fi
    absent nan/net.safetensors
    # A disk that is full before the first checkpoint.
    for tool in "$train" "$search"; do
        rm -rf full-disk
        bad 1 "full-disk/checkpoint.safetensors" bash -c \
            'trap "" XFSZ; ulimit -f 10; exec "$@"' bash "$tool" --quiet \
            --out full-disk --data synthetic $(
                [ "$tool" = "$train" ] && echo "$genotype $tiny" ||
                    echo "--preset quick --set data.limit=256
                        --set data.test_limit=8 --set search.train_batches=1"
            )
        absent full-disk/checkpoint.safetensors
        absent full-disk/net.safetensors
    done
    # A full disk under the results.
    checks=$((checks + 1))
    if timeout -k 2 60 "$attack" --net $net --data synthetic --count 4 \
        --attack fgsm --json >/dev/full 2>stderr ||
        [ "$(wc -l <stderr)" -ne 1 ]; then
        failures=$((failures + 1))
        echo "FAILED: a full disk was not noticed"
    fi
    # And what good input gives: the fields that programs rely on; json.cmake
    # has all of them.
    checks=$((checks + 1))
    timeout -k 2 60 "$attack" --net $net --data synthetic --count 4 --attack fgsm \
        --eps 0,8/255 --json >stdout 2>stderr
    if [ $? -ne 0 ] || [ "$(grep -c '"event":"eval"' stdout)" -ne 2 ] ||
        [ -s stderr ] ||
        ! grep -qE '^\{"event":"eval","attack":"fgsm",.*"norm":"linf","eps":0.0313725[0-9]*,"count":4,"clean_accuracy":[0-9.]+,"robust_accuracy":[0-9.]+,' stdout; then
        failures=$((failures + 1))
        echo "FAILED: JSON lines of wsr-attack"
        head -5 stdout stderr
    fi
    # good WORDS COMMAND...: it must succeed and say the words on stdout.
    good()
    {
        local words=$1
        shift
        checks=$((checks + 1))
        if ! timeout -k 2 60 "$@" >stdout 2>stderr || [ -s stderr ] ||
            ! grep -qF -- "$words" stdout; then
            failures=$((failures + 1))
            echo "FAILED: $*"
            head -5 stdout stderr
        fi
    }
    # present WORDS FILE
    present()
    {
        checks=$((checks + 1))
        if ! grep -qF -- "$1" "$2"; then
            failures=$((failures + 1))
            echo "FAILED: $2 lacks '$1'"
        fi
    }
    good "attacked on another network" "$attack" --net $net --data synthetic \
        --count 4 --attack fgsm --source $net
    good '"fidelity":"released"' "$attack" --net $net --data synthetic \
        --count 4 --attack pgd:steps=2 --set attack.fidelity=released --json
    good "deepfool     l2       inf" "$attack" --net $net --data synthetic \
        --count 4 --attack deepfool --eps inf
    good "random_start" "$attack" --help all
    good "worst case" "$attack" --net $net --data synthetic --count 4 \
        --attack fgsm,pgd:steps=2 --eps 0.1,1 --out shown \
        --save saved.safetensors --set attack.stop=false
    good "" "$attack" --net $net --data synthetic --count 4 --attack fgsm \
        --seed 07 --out seeded
    present '"seed":7,' seeded/log.jsonl
    checks=$((checks + 1))
    if ! timeout -k 2 60 "$attack" --net $net --data synthetic --count 4 \
        --attack fgsm --quiet >stdout 2>stderr || [ -s stdout ] || [ -s stderr ]; then
        failures=$((failures + 1))
        echo "FAILED: --quiet says more than errors"
    fi
    # doubt WORDS COMMAND...: it must succeed and warn on stderr, in one line.
    doubt()
    {
        local words=$1
        shift
        checks=$((checks + 1))
        if ! timeout -k 2 60 "$@" >stdout 2>stderr ||
            [ "$(wc -l <stderr)" -ne 1 ] || ! grep -qF -- "$words" stderr; then
            failures=$((failures + 1))
            echo "FAILED: no '$words': $*"
            head -5 stdout stderr
        fi
    }
    some="$attack --net $net --data synthetic --count 4"
    doubt "strength 8: in linf no change of pixels from 0 to 1 is larger than \
1; was 8/255 meant?" $some --attack fgsm,gn --eps 8/255,8
    present "warning: strength: fgsm, linf, 8: in linf" stdout
    doubt "strength 60: in l2 no change" $some --attack pgdl2 --eps 55,60
    doubt "strength 4000: in l1 no change" $some --attack ead --eps 3000,4000
    doubt "was 8/255 meant?" $some --attack pgd:steps=2 --eps 8 \
        --set attack.fidelity=released
    checks=$((checks + 1))
    if ! $some --attack fgsm --eps 8 --quiet >stdout 2>stderr || [ -s stderr ] ||
        ! $some --attack pgd:steps=2 --quiet --set attack.fidelity=released \
            >>stdout 2>stderr || [ -s stdout ]; then
        failures=$((failures + 1))
        echo "FAILED: --quiet says more than errors"
    fi
    good "towards class 3 (dots)" $some --attack fgsm --target-class 3 --out aimed
    present '"target_class":3,' aimed/results.jsonl
    present "target_class: 3" aimed/config.yaml
    present "Attacks towards class 3 (dots)" aimed/report.html
    present "<td>prediction</td>" aimed/report.html
    good "" $attack --resume aimed
    present "data:image/png;base64," shown/report.html
    present '"worst_case"' shown/results.jsonl
    present "quartile_1_success" shown/results.csv
    present '"0.1.images"' saved.safetensors
    present '"clean"' saved.safetensors
fi

echo "$checks checks, $failures failures"
[ "$checks" -gt 0 ] && [ "$failures" -eq 0 ]
