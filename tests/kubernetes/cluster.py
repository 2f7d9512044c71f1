"""The test cluster, `kubectl` against it, and what users' clusters have and this one lacks: volumes
and a registry."""

import glob
import json
import os
import subprocess
import tarfile
import time

# Past the links of a test run: kustomize follows links, and reads nothing outside its folder.
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
CACHE = os.path.join(
    os.environ.get("NIGHTJAR_CACHE") or os.path.expanduser("~/.cache/nightjar"), "kubernetes"
)
SCRIPT = os.path.join(ROOT, "deploy/kubernetes/cluster/cluster.sh")
KUBECTL = os.path.join(CACHE, "bin/kubectl")
KUBECONFIG = os.path.join(CACHE, "run/admin.kubeconfig")
HOST = "10.241.0.1"  # this machine, for pods
VOLUMES = 12
# Every node of the test cluster sees this machine's files, so these are volumes that another node
# can attach. Of the kind `local`, for which the kubelet sets the group of the pod as it does for
# those of a cloud.
VOLUME = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: volume-%(number)d}
spec:
  capacity: {storage: 8Gi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  local: {path: "%(path)s"}
  nodeAffinity:
    required:
      nodeSelectorTerms:
        - matchExpressions: [{key: kubernetes.io/hostname, operator: Exists}]
"""


class Cluster:
    """Control plane and node 0 from start() on. Pods see `nightjar` as their namespace."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = dict(
            os.environ,
            KUBECONFIG=os.path.join(folder, "kubeconfig"),
            PATH=os.path.dirname(KUBECTL) + os.pathsep + os.environ["PATH"],
        )

    def script(self, *arguments):
        subprocess.run([SCRIPT, *arguments], check=True)

    def start(self):
        self.script("up")
        with open(KUBECONFIG, encoding="utf-8") as source:
            with open(self.environment["KUBECONFIG"], "w", encoding="utf-8") as copy:
                copy.write(source.read())  # users change theirs
        self.kubectl("apply", "-f", "-", text="---".join(map(self.volume, range(VOLUMES))))

    def volume(self, number):
        path = os.path.join(self.folder, "volumes", str(number))
        os.makedirs(path)
        return VOLUME % {"number": number, "path": path}

    def stop(self):
        self.script("down")

    def kubectl(self, *arguments, text=None, check=True, timeout=300):
        """What it prints; RuntimeError with its complaint when it fails."""
        done = subprocess.run(
            ["kubectl", *arguments],
            env=self.environment,
            input=text,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=timeout,
        )
        if check and done.returncode != 0:
            raise RuntimeError("kubectl %s: %s" % (" ".join(arguments), done.stderr.strip()))
        return done.stdout

    def get(self, *arguments):
        return json.loads(self.kubectl("-n", "nightjar", "get", *arguments, "-o", "json"))

    def pods(self):
        """Those of the stages: {name: node}; only what is running."""
        items = self.get("pods", "-l", "app.kubernetes.io/part-of=nightjar")["items"]
        return {
            item["metadata"]["name"]: item["spec"].get("nodeName")
            for item in items
            if item["status"]["phase"] == "Running" and "deletionTimestamp" not in item["metadata"]
        }

    def ready(self, seconds=240):
        """Waits until every workload is what it should be."""
        for kind in ("deployment", "statefulset"):
            self.kubectl(
                "-n",
                "nightjar",
                "rollout",
                "status",
                kind,
                "--timeout=%ds" % seconds,
                timeout=seconds * 6,
            )

    def metrics(self, pod, port):
        """The metrics of a pod as text, "" while it does not answer."""
        path = "/api/v1/namespaces/nightjar/pods/%s:%d/proxy/metrics" % (pod, port)
        return self.kubectl("get", "--raw", path, check=False)

    def restarts(self):
        """How often containers were started again inside their pods: crashes and failed probes."""
        return {
            item["metadata"]["name"]: status["restartCount"]
            for item in self.get("pods")["items"]
            for status in item["status"].get("containerStatuses", [])
            if status["restartCount"]
        }


def retagged(archive, tag, folder):
    """A copy of an image archive under another tag; its path and the old tag."""
    copy = os.path.join(folder, tag + "-" + os.path.basename(archive))
    with tarfile.open(archive) as source, tarfile.open(copy, "w") as target:
        for member in source:
            content = source.extractfile(member)
            if member.name == "manifest.json":
                manifest = json.load(content)
                name, old = manifest[0]["RepoTags"][0].rsplit(":", 1)
                manifest[0]["RepoTags"] = ["%s:%s" % (name, tag)]
                data = json.dumps(manifest).encode()
                member.size = len(data)
                with open(os.path.join(folder, "manifest.json"), "wb") as file:
                    file.write(data)
                content = open(os.path.join(folder, "manifest.json"), "rb")
            target.addfile(member, content)
    return copy, old


def image_archives(folder):
    archives = sorted(glob.glob(os.path.join(folder, "*.tar")))
    if not archives:
        raise RuntimeError("no images in %s: make them with deploy/images/images.py" % folder)
    return archives


def wait_until(what, seconds, condition):
    """Polls twice a second; RuntimeError when it does not come to that."""
    deadline = time.time() + seconds
    while not condition():
        if time.time() > deadline:
            raise RuntimeError("%s: not within %d s" % (what, seconds))
        time.sleep(0.5)
