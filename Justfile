# Recipes of the RayOS boot toolkit: `./justw` lists them, `./justw RECIPE` runs one.

set shell := ["bash", "-euo", "pipefail", "-c"]

export CGO_ENABLED := "0"
bundle := "tools/mkimage/bundle"
lint := "go tool -modfile=tools/lint/go.mod"

# List the recipes
[private]
default:
    @{{just_executable()}} --justfile {{justfile()}} --list --unsorted

# Boot a new disk image in QEMU until its shell is ready; --interactive leaves you there
demo *ARGS: (setup "run") build
    tools/demo {{ARGS}}

# Run everything that CI runs: lint, unit tests, fuzz seeds, whole-machine tests
test: (setup "test") lint unit build (machines ".")

# Build the released files into dist/: rayimg, BOOTX64.EFI, the runtime
build:
    mkdir -p dist .cache
    go build -trimpath -o .cache/rayimg ./tools/mkimage
    .cache/rayimg efi build ./efi/cmd/rayboot -o dist/BOOTX64.EFI
    go build -trimpath -ldflags '-s -w' -o .cache/init ./initramfs/cmd/init
    .cache/rayimg runtime pack .cache/init -o dist/runtime.cpio.zst
    cp dist/BOOTX64.EFI dist/runtime.cpio.zst {{bundle}}/
    go build -trimpath -tags bundled -ldflags '-s -w' -o dist/rayimg ./tools/mkimage

# Run the unit tests and every fuzz target's seeds
unit:
    go test ./...

# Check style and structure: vet, staticcheck, gofumpt, shellcheck, generated documents
lint: (setup "test")
    go vet ./...
    go vet -tags uefi ./efi/... ./ovmf-tests/apps/...
    go vet -tags ovmf ./ovmf-tests/...
    {{lint}} staticcheck ./...
    {{lint}} staticcheck -tags uefi ./efi/... ./ovmf-tests/apps/...
    {{lint}} staticcheck -tags ovmf ./ovmf-tests/...
    test -z "$({{lint}} gofumpt -l . | tee /dev/stderr)"
    shellcheck justw .ci/run tools/setup tools/demo

# Run the whole-machine tests whose name matches, and show their serial transcript
ovmf NAME=".": (setup "test") build
    go test -tags ovmf ./ovmf-tests -count=1 -timeout 30m -parallel 2 -v -run '(?i){{NAME}}'

# Run the long versions of the whole-machine tests: 100 healthy boots, the power cut at every marker, every watchdog, and more
ovmf-full NAME=".": (setup "test") build
    go test -tags ovmf ./ovmf-tests -count=1 -timeout 5h -parallel 2 -v -long -run '(?i){{NAME}}'

[private]
machines NAME:
    go test -tags ovmf ./ovmf-tests -count=1 -timeout 50m -parallel 2 -run '(?i){{NAME}}'

# Fuzz every fuzz target for TIME each (its seeds are part of unit)
fuzz TIME="1m":
    tools/fuzz {{TIME}}

# Be a hostile guest for three times TIME (ten minutes), and watch memory, file descriptors and goroutines
fuzz-guests TIME="200s":
    tools/fuzz {{TIME}} ./presentation/virtqueue ./presentation/virtgpu ./presentation/vhostgpu

# Write the documents that are generated from the code anew
docs:
    go run ./tools/gendocs

# Count the guest instructions from firmware to kernel, beside systemd-boot and a direct boot
bench-boot *ARGS: (setup "test") build
    go run ./ovmf-tests/benchboot {{ARGS}}

# Count the instructions of the boot manager's state and digests, each beside its bar
bench-state *ARGS: (setup "test") build
    go run ./ovmf-tests/benchstate {{ARGS}}

# Measure rayimg build beside sgdisk, mkfs.vfat and mcopy on the same layout
bench-image *ARGS: (setup "test") build
    go run ./tools/bench-image {{ARGS}}

# Measure how fast rayimg install writes beside dd, and its memory, each beside its bar
bench-install *ARGS: (setup "test") build
    go run ./tools/bench-install {{ARGS}}

# Measure the persistent log beside what the device can do: plain writes, synchronous and large
bench-log *ARGS:
    go run ./tools/bench-log {{ARGS}}

# Measure a guest's page flips by our bridge beside QEMU's VNC, and a plain copy of the frame
bench-show: (setup "test")
    go run ./ovmf-tests/benchshow

# Install the Debian packages that are missing, for the demo (run) or for all tests (test)
setup FOR="test":
    @tools/setup {{FOR}}

# Remove everything that was built
clean:
    rm -rf dist .cache/rayimg .cache/init disk.img {{bundle}}/BOOTX64.EFI {{bundle}}/runtime.cpio.zst
