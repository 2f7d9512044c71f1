"""Every combination of profiles is a valid compose file in which each service is hardened."""

import copy
import itertools
import re

from stack import Stack, check

ENGINES = {"local": {}, "cloud": {}, "staging": {"STAGING_HOST": "https://engine.example"}}
SEARCHES = {
    "elasticsearch": {},
    "opensearch": {},
    "external": {"EXTERNAL_HOST": "https://search.example:9200"},
}
STAGES = {"es-reader", "scorer", "ae-forwarder", "alert-poller"}
# Their images write beside their own configuration.
WRITABLE = {"elasticsearch", "opensearch"}
NOFILE_MAX = 20000
REFERENCE = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)?:[v0-9][\w.+~-]*")


def faults(name, service):
    """What is wrong with a service, as texts."""
    root = service.get("user", "root").split(":")[0] in ("root", "0")
    found = {
        "capabilities are not dropped": service.get("cap_drop") != ["ALL"],
        "may gain privileges": "no-new-privileges:true" not in service.get("security_opt", []),
        "privileged": service.get("privileged", False),
        "root file system is writable": not service.get("read_only") and name not in WRITABLE,
        "runs as root": root and name != "packetbeat",
        "capabilities added": service.get("cap_add") and name != "packetbeat",
        "on the host's network": service.get("network_mode") == "host" and name != "packetbeat",
        "no limit of memory": not int(service.get("mem_limit", 0)),
        "no limit of CPUs": not service.get("cpus"),
        "no limit of processes": not service.get("pids_limit"),
        "log without limit": "max-size" not in service.get("logging", {}).get("options", {}),
        "does not come back": service.get("restart") != "unless-stopped" and name != "nightjar",
        "no health check": "test" not in service.get("healthcheck", {}) and name != "nightjar",
        "published beyond loopback": any(
            port.get("host_ip") != "127.0.0.1" for port in service.get("ports", [])
        ),
        "image without a version, or with a host": not REFERENCE.fullmatch(service["image"]),
    }
    limit = service.get("ulimits", {}).get("nofile", 0)
    found["more files than small hosts allow"] = limit > NOFILE_MAX
    return [text for text, wrong in found.items() if wrong]


def check_combination(stack, engine, search):
    environment = {
        "NIGHTJAR_VERSION": "0.0.0",
        "NIGHTJAR_ENGINE": engine,
        "NIGHTJAR_SEARCH": search,
        "COMPOSE_PROFILES": "%s,%s,packetbeat,tools" % (engine, search),
        **ENGINES[engine],
        **SEARCHES[search],
    }
    config = stack.config(**environment)
    services = config["services"]
    named = "%s, %s: " % (engine, search)
    wanted = STAGES | {"packetbeat", "prometheus", "nightjar"}
    wanted |= {"analytics-engine"} if engine == "local" else set()
    wanted |= {search} if search != "external" else set()
    check(set(services) == wanted, named + "the services are " + " ".join(sorted(services)))
    wrong = [
        "%s: %s" % (name, fault)
        for name, service in services.items()
        for fault in faults(name, service)
    ]
    check(not wrong, named + "each is hardened " + "; ".join(wrong))
    check(config["networks"]["stages"].get("internal"), named + "the stages' network is internal")
    for name in ("scorer", "analytics-engine"):
        only = set(services.get(name, {"networks": {"stages": None}})["networks"])
        check(only == {"stages"}, named + name + " has no way out")
    forwarder = services["ae-forwarder"]["environment"]
    hosts = {"local": "https://analytics-engine:7480", "cloud": "https://api.alphasoc.net"}
    check(
        forwarder["ENGINE_HOST"] == hosts.get(engine, "https://engine.example")
        and (forwarder["ENGINE_KIND"] == "nightjar") == (engine == "local"),
        named + "events go to " + forwarder["ENGINE_HOST"],
    )
    return services


def main():
    stack = Stack("nightjar-config-test", ["compose.yaml"])
    try:
        for engine, search in itertools.product(ENGINES, SEARCHES):
            services = check_combination(stack, engine, search)
        # A check that finds nothing ever would not be one.
        for key in ("cap_drop", "security_opt", "read_only", "mem_limit", "pids_limit", "user"):
            softer = copy.deepcopy(services["scorer"])
            del softer[key]
            check(len(faults("scorer", softer)) == 1, "a scorer without %s is found" % key)
    finally:
        stack.remove()


if __name__ == "__main__":
    main()
