"""One shape for every fuzz target of outside bytes."""

def fuzz_target(name, srcs, corpus, deps):
    """A libFuzzer binary `name` and a test `<name>_smoke_test` over the same entry point.

    `srcs` define LLVMFuzzerTestOneInput. `corpus` are the seed files under corpus/<name>/; each starts a mutation, so
    keep them few, small and different. The binary is built with `--config=fuzz` only:
        bazel build --config=fuzz //tests/fuzz:<name>
    """
    native.cc_test(
        name = name + "_smoke_test",
        size = "small",
        srcs = srcs + ["//tests/fuzz:smoke_main.cc"],
        args = ["tests/fuzz/corpus/" + name],
        data = corpus,
        deps = deps,
    )
    native.cc_binary(
        name = name,
        testonly = True,
        srcs = srcs,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = deps,
    )
