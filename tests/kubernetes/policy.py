"""What rendered manifests must keep to. Each check yields what is wrong, in words."""

import re

STAGE_PORTS = {
    "es-reader": 7401,
    "scorer": 7402,
    "ae-forwarder": 7403,
    "alert-poller": 7404,
    "analytics-engine": 7405,
}
API_PORT = 7480
WORKLOADS = ("Deployment", "StatefulSet")
# Who calls whom: the data path, and people. Ports by their names in the pods.
EDGES = {
    ("es-reader", "scorer", "grpc"),
    ("scorer", "ae-forwarder", "grpc"),
    ("ae-forwarder", "analytics-engine", "api"),
    ("alert-poller", "analytics-engine", "api"),
}
SECRET_KEYS = re.compile(r"(password|api_key|secret|token|key_file)\s*:\s*(\S+)")
ADDRESS = re.compile(r"(?:dns:///|https://)([\w.-]+):(\d+)")


def of_kind(manifests, *kinds):
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def name_of(manifest):
    return "%s/%s" % (manifest["kind"], manifest["metadata"]["name"])


def pods(manifests):
    for workload in of_kind(manifests, *WORKLOADS):
        yield name_of(workload), workload["spec"]["template"]


def containers(manifests):
    for name, template in pods(manifests):
        for container in template["spec"]["containers"]:
            yield name, template["spec"], container


def namespace_is_restricted(manifests):
    for namespace in of_kind(manifests, "Namespace"):
        labels = namespace["metadata"].get("labels", {})
        for mode in ("enforce", "warn", "audit"):
            if labels.get("pod-security.kubernetes.io/" + mode) != "restricted":
                yield "%s: pod security is not restricted for %s" % (name_of(namespace), mode)
    for manifest in manifests:
        if manifest["kind"] != "Namespace" and manifest["metadata"].get("namespace") != "nightjar":
            yield "%s is not in the namespace nightjar" % name_of(manifest)


def pods_are_confined(manifests):
    for name, spec, container in containers(manifests):
        pod, own = spec.get("securityContext", {}), container.get("securityContext", {})
        wanted = [
            (pod.get("runAsNonRoot") is True, "runs as root"),
            (pod.get("runAsUser") == 65532 and pod.get("fsGroup") == 65532, "is not 65532"),
            (pod.get("seccompProfile") == {"type": "RuntimeDefault"}, "has no seccomp profile"),
            (own.get("readOnlyRootFilesystem") is True, "has a writable root"),
            (own.get("allowPrivilegeEscalation") is False, "may gain privileges"),
            (own.get("capabilities") == {"drop": ["ALL"]}, "keeps capabilities"),
            (spec.get("automountServiceAccountToken") is False, "has a token of the API server"),
            ("serviceAccountName" in spec, "has no service account of its own"),
            (not any("hostPath" in volume for volume in spec["volumes"]), "sees its node's files"),
        ]
        yield from ("%s %s" % (name, fault) for good, fault in wanted if not good)


def containers_are_bounded(manifests):
    for name, _, container in containers(manifests):
        resources = container.get("resources", {})
        if not {"cpu", "memory"} <= set(resources.get("requests", {})):
            yield "%s requests no cpu or memory" % name
        if "memory" not in resources.get("limits", {}):
            yield "%s has no memory limit" % name


def images_have_versions(manifests):
    for name, _, container in containers(manifests):
        if not re.fullmatch(r"nightjar/[a-z-]+:\d+\.\d+\.\d+", container["image"]):
            yield "%s: image %s is no nightjar/NAME:VERSION" % (name, container["image"])


def stages_are_probed(manifests):
    for name, spec, container in containers(manifests):
        if container["name"] != "stage":
            continue
        ports = {port["name"] for port in container["ports"]}
        for probe, path in (
            ("startupProbe", "/healthz"),
            ("livenessProbe", "/healthz"),
            ("readinessProbe", "/readyz"),
        ):
            get = container.get(probe, {}).get("httpGet", {})
            if get.get("path") != path or get.get("port") not in ports:
                yield "%s: %s is not GET %s at a port of the pod" % (name, probe, path)
        if spec.get("terminationGracePeriodSeconds", 0) < 45:
            yield "%s has less than 45 s to end" % name


def nothing_is_secret(manifests):
    for secret in of_kind(manifests, "Secret"):
        yield "%s: secrets are made by hand, never in a manifest" % name_of(secret)
    for config in of_kind(manifests, "ConfigMap"):
        for key, text in config.get("data", {}).items():
            for word, value in SECRET_KEYS.findall(text):
                if not re.match(r'"?(\$\{(file|env):|/)', value):
                    yield "%s: %s: %s is written out" % (name_of(config), key, word)


def references_exist(manifests):
    """ConfigMaps and ServiceAccounts that pods name; volumes that containers mount."""
    there = {name_of(manifest) for manifest in manifests}
    for name, spec, container in containers(manifests):
        wanted = ["ServiceAccount/" + spec["serviceAccountName"]]
        wanted += ["ConfigMap/" + source["configMapRef"]["name"] for source in container["envFrom"]]
        wanted += [
            "ConfigMap/" + volume["configMap"]["name"]
            for volume in spec["volumes"]
            if "configMap" in volume
        ]
        yield from ("%s: there is no %s" % (name, one) for one in wanted if one not in there)
    for workload in of_kind(manifests, *WORKLOADS):
        spec = workload["spec"]["template"]["spec"]
        volumes = {volume["name"] for volume in spec["volumes"]}
        volumes |= {
            claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])
        }
        for container in spec["containers"]:
            for mount in container["volumeMounts"]:
                if mount["name"] not in volumes:
                    yield "%s mounts %s, which it has not" % (name_of(workload), mount["name"])


def selected(manifests, selector):
    """{name: template} of the pods with these labels."""
    labels = selector.get("matchLabels", {})
    chosen = {}
    for name, template in pods(manifests):
        own = template["metadata"]["labels"]
        if any(own.get(key) != value for key, value in labels.items()):
            continue
        if all(
            own.get(want["key"]) in want["values"] for want in selector.get("matchExpressions", [])
        ):
            chosen[own["app.kubernetes.io/name"]] = template
    return chosen


def port_names(template):
    return {
        port["name"]: port["containerPort"]
        for container in template["spec"]["containers"]
        for port in container.get("ports", [])
    }


def services_find_ports(manifests):
    for service in of_kind(manifests, "Service"):
        chosen = selected(manifests, {"matchLabels": service["spec"]["selector"]})
        if not chosen:
            yield "%s selects no pod" % name_of(service)
        for template in chosen.values():
            for port in service["spec"]["ports"]:
                if port_names(template).get(port["targetPort"]) != port["port"]:
                    yield "%s: port %d is none of the pod" % (name_of(service), port["port"])


def budgets_leave_room(manifests):
    for budget in of_kind(manifests, "PodDisruptionBudget"):
        for name in selected(manifests, budget["spec"]["selector"]):
            replicas = [
                workload["spec"]["replicas"]
                for workload in of_kind(manifests, *WORKLOADS)
                if workload["metadata"]["name"] == name
            ]
            if budget["spec"].get("maxUnavailable", 0) >= max(replicas, default=0):
                yield "%s lets all of %s go" % (name_of(budget), name)


def addresses_resolve(manifests):
    """Every name in the configuration and the settings is a Service, or a pod of one."""
    services = {
        service["metadata"]["name"]: service["spec"] for service in of_kind(manifests, "Service")
    }
    replicas = {
        workload["metadata"]["name"]: workload["spec"]["replicas"]
        for workload in of_kind(manifests, "StatefulSet")
    }
    has_engine = "analytics-engine" in services
    for config in of_kind(manifests, "ConfigMap"):
        for key, text in config["data"].items():
            for host, port in ADDRESS.findall(text):
                pod, _, service = host.rpartition(".")
                if key == "ELASTIC_HOST" or (host == "analytics-engine" and not has_engine):
                    continue  # not ours
                if service not in services:
                    yield "%s: %s: there is no Service %s" % (name_of(config), key, service)
                elif int(port) not in [p["port"] for p in services[service]["ports"]]:
                    yield "%s: %s: %s has no port %s" % (name_of(config), key, service, port)
                elif pod and pod not in pod_names(service, replicas.get(service, 0)):
                    yield "%s: %s: there is no pod %s" % (name_of(config), key, pod)


def pod_names(name, replicas):
    return {"%s-%d" % (name, number) for number in range(replicas)}


def every_forwarder_is_listed(manifests):
    for settings in of_kind(manifests, "ConfigMap"):
        listed = re.findall(r"(ae-forwarder-\d+)\.", settings["data"].get("FORWARDERS", ""))
        for forwarder in of_kind(manifests, "StatefulSet"):
            if forwarder["metadata"]["name"] == "ae-forwarder" and listed:
                there = pod_names("ae-forwarder", forwarder["spec"]["replicas"])
                if set(listed) != there:
                    yield "FORWARDERS lists %s, there are %s" % (sorted(listed), sorted(there))


def allowed(manifests, direction):
    """{(from, to, port)} that the policies of a direction allow between pods; and whether all is
    denied otherwise."""
    edges, denied = set(), False
    peers_key = "to" if direction == "egress" else "from"
    for policy in of_kind(manifests, "NetworkPolicy"):
        spec = policy["spec"]
        rules = spec.get(direction)
        if direction.capitalize() in spec["policyTypes"] and spec["podSelector"] == {}:
            denied = denied or not rules
        for rule in rules or []:
            for peer in rule.get(peers_key, []):
                if "namespaceSelector" in peer or "podSelector" not in peer:
                    continue
                for one in selected(manifests, spec["podSelector"]):
                    for other in selected(manifests, peer["podSelector"]):
                        for port in rule["ports"]:
                            pair = (one, other) if direction == "egress" else (other, one)
                            edges.add(pair + (port["port"],))
    return edges, denied


def network_is_the_data_path(manifests):
    there = {
        template["metadata"]["labels"]["app.kubernetes.io/name"] for _, template in pods(manifests)
    }
    wanted = {edge for edge in EDGES if {edge[0], edge[1]} <= there}
    if "operator" in there:
        wanted |= {("operator", stage, "grpc") for stage in STAGE_PORTS if stage in there}
    for direction in ("egress", "ingress"):
        edges, denied = allowed(manifests, direction)
        if not denied:
            yield "%s is not denied by default" % direction
        for edge in sorted(wanted - edges):
            yield "%s: %s may not reach %s at %s" % ((direction,) + edge)
        for edge in sorted(edges - wanted):
            yield "%s: %s may reach %s at %s, which is not on the data path" % ((direction,) + edge)


CHECKS = [
    namespace_is_restricted,
    pods_are_confined,
    containers_are_bounded,
    images_have_versions,
    stages_are_probed,
    nothing_is_secret,
    references_exist,
    services_find_ports,
    budgets_leave_room,
    addresses_resolve,
    every_forwarder_is_listed,
    network_is_the_data_path,
]


def faults(manifests):
    return [fault for check in CHECKS for fault in check(manifests)]
