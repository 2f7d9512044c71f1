"""C++ code from .proto files with the system's protoc and gRPC plugin."""

def cc_proto(name, srcs, deps = [], grpc = False, **kwargs):
    """A cc_library of generated messages, or with grpc = True of messages and service stubs.

    Import paths are workspace paths. A service's target lists its messages' target in deps.
    """
    package = native.package_name()
    outs = []
    for src in srcs:
        stem = src[:-len(".proto")]
        kinds = (["grpc.pb.h", "grpc.pb.cc"] if grpc else []) + ["pb.h", "pb.cc"]
        outs += ["%s.%s" % (stem, kind) for kind in kinds]
    plugin = "--plugin=protoc-gen-grpc=$$(command -v grpc_cpp_plugin) --grpc_out=$(GENDIR)" if grpc else ""
    native.filegroup(
        name = name + "_srcs",
        srcs = srcs + [d + "_srcs" for d in deps],
        visibility = ["//visibility:public"],
    )
    native.genrule(
        name = name + "_gen",
        srcs = [":" + name + "_srcs"],
        outs = outs,
        cmd = "protoc -I. --cpp_out=$(GENDIR) %s %s" % (plugin, " ".join(["%s/%s" % (package, s) for s in srcs])),
        message = "Generating C++ for",
    )
    native.cc_library(
        name = name,
        srcs = [o for o in outs if o.endswith(".cc")],
        hdrs = [o for o in outs if o.endswith(".h")],
        copts = ["-w"],  # generated code
        alwayslink = True,  # reflection needs the descriptors, which nothing refers to by symbol
        deps = deps + ["@system//:protobuf"] + (["@system//:grpc++"] if grpc else []),
        **kwargs
    )
