"""System libraries as cc_library targets, with flags from pkg-config."""

def _flags(repository_ctx, module, what):
    result = repository_ctx.execute(["pkg-config", what, module])
    if result.return_code != 0:
        fail("pkg-config %s %s: %s (is the -dev package installed?)" % (what, module, result.stderr))
    return [flag for flag in result.stdout.strip().split(" ") if flag]

def _pkg_config_repository_impl(repository_ctx):
    lines = ['package(default_visibility = ["//visibility:public"])']
    for target, module in repository_ctx.attr.modules.items():
        cflags = _flags(repository_ctx, module, "--cflags")
        linkopts = _flags(repository_ctx, module, "--libs") + repository_ctx.attr.extra_linkopts.get(target, [])
        defines = [f[2:] for f in cflags if f.startswith("-D")]
        lines.append("cc_library(name = %r, defines = %r, linkopts = %r)" % (target, defines, linkopts))
    repository_ctx.file("BUILD", "\n".join(lines) + "\n")
    repository_ctx.file("WORKSPACE", "workspace(name = %r)\n" % repository_ctx.name)

pkg_config_repository = repository_rule(
    implementation = _pkg_config_repository_impl,
    attrs = {
        "modules": attr.string_dict(doc = "target name -> pkg-config module"),
        "extra_linkopts": attr.string_list_dict(doc = "target name -> further link options"),
    },
    environ = ["PKG_CONFIG_PATH"],
    local = True,
)
