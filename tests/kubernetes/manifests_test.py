"""Every overlay with every component: rendered, held against policy.py, and checked by a real API
server where its program is in the cache."""

import copy
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import cluster
import policy
import yaml

KUBERNETES = os.path.join(cluster.ROOT, "deploy/kubernetes")
MONITORING = os.path.join(KUBERNETES, "components/monitoring")
OVERLAYS = ["single", "ha"]
COMPONENTS = [
    [],
    ["operator"],
    ["cloud"],
    ["staging"],
    ["cert-manager", "operator"],
    ["monitoring"],
    ["cloud", "operator", "cert-manager", "monitoring"],
]
# Of the API server, not of what it checks.
SERVER_SECONDS = 120
NOT_CHECKED = "NOT CHECKED by an API server: "


def find_kubectl():
    found = cluster.KUBECTL if os.path.exists(cluster.KUBECTL) else shutil.which("kubectl")
    if not found:
        print("building kubectl from the Go module proxy, once", flush=True)
        subprocess.run([os.path.join(KUBERNETES, "cluster/build.sh"), "kubectl"], check=True)
    return found or cluster.KUBECTL


def render(overlay, components):
    """The text of an overlay with components, as a kustomization of one's own has it."""
    with tempfile.TemporaryDirectory() as folder:
        of = os.path.relpath(os.path.realpath(KUBERNETES), os.path.realpath(folder))
        kustomization = {
            "resources": ["%s/overlays/%s" % (of, overlay)],
            "components": ["%s/components/%s" % (of, name) for name in components],
        }
        with open(os.path.join(folder, "kustomization.yaml"), "w", encoding="utf-8") as file:
            yaml.safe_dump(kustomization, file)
        done = subprocess.run(
            [find_kubectl(), "kustomize", folder], text=True, capture_output=True, timeout=60
        )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout


def manifests(overlay, components):
    return [entry for entry in yaml.safe_load_all(render(overlay, components)) if entry]


def combinations():
    return [(overlay, components) for overlay in OVERLAYS for components in COMPONENTS]


class RenderedTest(unittest.TestCase):
    def test_every_combination_keeps_the_policy(self):
        for overlay, components in combinations():
            with self.subTest(overlay=overlay, components=components):
                self.assertEqual(policy.faults(manifests(overlay, components)), [])

    def test_single_has_one_of_each_and_ha_several_of_what_can_be_several(self):
        for overlay, several in (("single", 1), ("ha", 2)):
            replicas = {
                workload["metadata"]["name"]: workload["spec"]["replicas"]
                for workload in policy.of_kind(manifests(overlay, []), *policy.WORKLOADS)
            }
            self.assertEqual(replicas.pop("scorer"), several)
            self.assertEqual(replicas.pop("ae-forwarder"), several)
            self.assertEqual(replicas, {"es-reader": 1, "alert-poller": 1, "analytics-engine": 1})

    def test_an_engine_elsewhere_leaves_none_here(self):
        for component in ("cloud", "staging"):
            rendered = manifests("ha", [component])
            named = [entry["metadata"]["name"] for entry in rendered]
            self.assertNotIn("analytics-engine", named)
            settings = next(
                entry["data"] for entry in rendered if "FORWARDERS" in entry.get("data", {})
            )
            self.assertEqual(settings["ENGINE_KIND"], "alphasoc")

    def test_images_have_the_version_of_the_programs(self):
        reader = os.path.join(os.getcwd(), "services/es_reader/es-reader")
        said = subprocess.run([reader, "--version"], text=True, capture_output=True, check=True)
        version = said.stdout.split()[-1]
        for _, _, container in policy.containers(manifests("ha", ["operator"])):
            self.assertEqual(
                container["image"].split(":")[1],
                version,
                "set newTag in deploy/kubernetes/base and components/operator",
            )

    def test_the_prometheus_rule_is_that_of_the_rules_file(self):
        sys.path.insert(0, MONITORING)
        import generate

        with open(os.path.join(MONITORING, "prometheus-rule.yaml"), encoding="utf-8") as file:
            self.assertEqual(
                file.read(), generate.rendered(), "run components/monitoring/generate.py"
            )

    def test_the_stages_take_the_configuration(self):
        """As each container would start: its environment, its files, its arguments."""
        for overlay, components in (("single", []), ("ha", []), ("ha", ["cloud"])):
            rendered = manifests(overlay, components)
            for name, _, container in policy.containers(rendered):
                with self.subTest(overlay=overlay, components=components, stage=name):
                    self.check_config(rendered, container)

    def check_config(self, rendered, container):
        data = {}
        for config in policy.of_kind(rendered, "ConfigMap"):
            data.update(config["data"])
        stage = container["image"].split(":")[0].split("/")[1]
        program = os.path.join(os.getcwd(), "services", stage.replace("-", "_"), stage)
        with tempfile.TemporaryDirectory() as folder:
            for name in ("engine_key", "elastic_password"):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write("0123456789abcdef" * 4)
            certificates = os.path.join(cluster.ROOT, "deploy/certificates/certificates.sh")
            subprocess.run([certificates, folder, stage], check=True, stdout=subprocess.DEVNULL)
            text = data["config.yml"].replace("/run/secrets", folder)
            text = text.replace("/etc/nightjar/tls", os.path.join(folder, stage))
            path = os.path.join(folder, "config.yml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            environment = {key: value for key, value in data.items() if key != "config.yml"}
            environment["ENGINE_CA_FILE"] = os.path.join(folder, stage, "ca.crt")
            arguments = [
                path if argument == "/etc/nightjar/config.yml" else argument
                for argument in container["args"]
            ]
            done = subprocess.run(
                [program, *arguments, "--check_config"],
                env=environment,
                text=True,
                capture_output=True,
                timeout=30,
            )
        self.assertEqual((done.returncode, done.stderr), (0, ""))


def change(rendered, kind, name, do):
    changed = copy.deepcopy(rendered)
    for entry in policy.of_kind(changed, kind):
        if entry["metadata"]["name"].startswith(name):
            do(entry)
    return changed


def container_of(entry):
    return entry["spec"]["template"]["spec"]["containers"][0]


class PolicyTest(unittest.TestCase):
    """Each check finds what it is for: one change to good manifests, and the fault it must give."""

    CHANGES = [
        ("Namespace", "", lambda e: e["metadata"].pop("labels"), "not restricted for enforce"),
        ("Service", "scorer", lambda e: e["metadata"].pop("namespace"), "not in the namespace"),
        ("Deployment", "scorer", lambda e: container_of(e).pop("securityContext"), "capabilities"),
        ("Deployment", "scorer", lambda e: container_of(e).pop("resources"), "no memory limit"),
        ("Deployment", "scorer", lambda e: container_of(e).update(image="x:latest"), "no nightjar"),
        ("Deployment", "scorer", lambda e: container_of(e).pop("readinessProbe"), "readinessProbe"),
        ("ConfigMap", "config", lambda e: e["data"].update(x="password: hunter2"), "written out"),
        ("ConfigMap", "config", lambda e: e["metadata"].update(name="c"), "no ConfigMap/config"),
        ("Service", "scorer", lambda e: e["spec"]["ports"][0].update(targetPort="x"), "port 7402"),
        ("ConfigMap", "config", lambda e: e["data"].update(x="https://a:1"), "no Service a"),
        ("ConfigMap", "settings", lambda e: e["data"].update(FORWARDERS="ae-forwarder-0.x"), "are"),
        ("NetworkPolicy", "scorer", lambda e: e["spec"].pop("egress"), "may not reach ae-f"),
        ("NetworkPolicy", "default", lambda e: e["spec"].update(egress=[{}]), "not denied"),
    ]

    def test_each_check_finds_its_fault(self):
        good = manifests("ha", [])
        for kind, name, do, words in self.CHANGES:
            with self.subTest(fault=words):
                found = policy.faults(change(good, kind, name, do))
                self.assertTrue(any(words in fault for fault in found), found)

    def test_a_budget_that_lets_all_go_is_found(self):
        broken = change(
            manifests("ha", []),
            "PodDisruptionBudget",
            "",
            lambda e: e["spec"].update(maxUnavailable=2),
        )
        self.assertIn("lets all of scorer go", " ".join(policy.faults(broken)))

    def test_an_edge_beside_the_data_path_is_found(self):
        def open_up(policy_manifest):
            policy_manifest["spec"]["egress"][0]["to"][0]["podSelector"] = {}

        broken = change(manifests("ha", []), "NetworkPolicy", "scorer", open_up)
        self.assertIn("not on the data path", " ".join(policy.faults(broken)))


class ServerTest(unittest.TestCase):
    """A real API server finds unknown fields, bad values and what pod security refuses."""

    def test_an_api_server_takes_every_combination(self):
        if not os.access(os.path.join(cluster.CACHE, "bin/kube-apiserver"), os.X_OK):
            print(NOT_CHECKED + "there is none in %s; ./dev kubernetes builds it" % cluster.CACHE)
            return
        if os.geteuid() != 0 or shutil.which("etcd") is None:
            print(NOT_CHECKED + "it needs root and etcd")
            return
        if os.path.exists(os.path.join(cluster.CACHE, "run/pid")):
            print(NOT_CHECKED + "another test's cluster is up")
            return
        try:
            subprocess.run([cluster.SCRIPT, "control"], check=True, timeout=SERVER_SECONDS)
            self.dry_runs()
        finally:
            subprocess.run([cluster.SCRIPT, "down"], check=True, timeout=SERVER_SECONDS)

    def kubectl(self, *arguments, text=None):
        return subprocess.run(
            [find_kubectl(), "--kubeconfig", cluster.KUBECONFIG, *arguments],
            input=text,
            text=True,
            capture_output=True,
            timeout=SERVER_SECONDS,
        )

    def dry_runs(self):
        types = os.path.join(cluster.CACHE, "types")
        if os.path.isdir(types):
            self.assertEqual(self.kubectl("apply", "--server-side", "-f", types).returncode, 0)
            self.kubectl("wait", "--for=condition=Established", "crd", "--all")
        namespace = os.path.join(KUBERNETES, "base/namespace.yaml")
        self.assertEqual(self.kubectl("create", "-f", namespace).returncode, 0)
        checked = 0
        for overlay, components in combinations():
            text = render(overlay, components)
            if not os.path.isdir(types) and {"cert-manager", "monitoring"} & set(components):
                print(NOT_CHECKED + "%s, whose types are not in the cache" % components)
                continue
            with self.subTest(overlay=overlay, components=components):
                done = self.dry_run(text)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertNotIn("would violate PodSecurity", done.stderr)
                checked += 1
        bad = render("single", []).replace("runAsNonRoot: true", "runAsNonRoot: false")
        self.assertIn("would violate PodSecurity", self.dry_run(bad).stderr)
        bad = render("single", []).replace("readinessProbe", "readynessProbe")
        self.assertNotEqual(self.dry_run(bad).returncode, 0)
        print("checked by an API server: %d combinations" % checked)

    def dry_run(self, text):
        return self.kubectl(
            "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-", text=text
        )


if __name__ == "__main__":
    unittest.main(verbosity=2)
