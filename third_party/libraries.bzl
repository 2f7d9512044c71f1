"""The libraries of Debian 12 that Nightjar links: one @system//:<target> each."""

load("//third_party:pkg_config.bzl", "pkg_config_repository")

_ABSL = [
    "absl_btree",
    "absl_cleanup",
    "absl_flat_hash_map",
    "absl_flat_hash_set",
    "absl_hash",
    "absl_random_random",
    "absl_span",
    "absl_status",
    "absl_statusor",
    "absl_str_format",
    "absl_strings",
    "absl_time",
]

def system_libraries():
    modules = {name: name for name in _ABSL}
    modules.update({
        "benchmark": "benchmark",
        "cli11": "CLI11",
        "curl": "libcurl",
        "gmock": "gmock",
        "grpc++": "grpc++",
        "grpc++_reflection": "grpc++",  # the reflection library has no module of its own
        "gtest": "gtest",
        "gtest_main": "gmock_main",
        "httplib": "cpp-httplib",
        "icu": "icu-uc",
        "openssl": "openssl",
        "prometheus": "prometheus-cpp-core",
        "protobuf": "protobuf",
        "psl": "libpsl",
        "re2": "re2",
        "simdjson": "simdjson",
        "spdlog": "spdlog",
        "sqlite3": "sqlite3",
        "xxhash": "libxxhash",
        "yaml-cpp": "yaml-cpp",
        "zlib": "zlib",
    })
    pkg_config_repository(
        name = "system",
        modules = modules,
        extra_linkopts = {
            "benchmark": ["-lbenchmark_main"],
            "grpc++_reflection": ["-Wl,--no-as-needed", "-lgrpc++_reflection", "-Wl,--as-needed"],
        },
    )
