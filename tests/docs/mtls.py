"""The stages once more, each with a certificate of its own, and an operator's at hand."""

import os
import subprocess
import time

from stand import CONFIG, ROOT

# Each finds the one before it.
STAGES = ("analytics-engine", "ae-forwarder", "scorer", "es-reader", "alert-poller")
SERVE_SECONDS = 30
SECURITY = """services:
  es_reader: {address: "es-reader:7401"}
  scorer: {address: "scorer:7402"}
  ae_forwarder: {address: "ae-forwarder:7403"}
  alert_poller: {address: "alert-poller:7404"}
  analytics_engine: {address: "analytics-engine:7405"}
security:
  ca_file: %(tls)s/ca.crt
  certificate_file: %(tls)s/tls.crt
  key_file: %(tls)s/tls.key
  flow_peers: [es-reader, scorer]
  operate_peers: [operator]
data: {dir: /var/lib/nightjar-mtls}
"""


def start(stand):
    """Makes certificates in `tls` and starts every stage; operator.yml is for people."""
    script = os.path.join(ROOT, "deploy/certificates/certificates.sh")
    subprocess.run([script, "tls"], cwd=stand.folder, check=True, env=stand.environment)
    config = CONFIG % ROOT
    for stage in STAGES:
        path = os.path.join(stand.folder, stage + ".yml")
        tls = os.path.join(stand.folder, "tls", stage)
        stand.write(path, config + SECURITY % {"tls": tls})
        start_stage(stand, stage, path)
    operator = SECURITY % {"tls": "tls/operator"}
    stand.write(os.path.join(stand.folder, "operator.yml"), config + operator)


def start_stage(stand, stage, config):
    address_file = os.path.join(stand.folder, stage + ".addresses.json")
    with open(os.path.join(stand.folder, stage + ".log"), "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [
                os.path.join(stand.libexec, stage),
                "--config",
                config,
                "--address_file",
                address_file,
            ],
            env=stand.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    deadline = time.time() + SERVE_SECONDS
    while not os.path.exists(address_file):
        if process.poll() is not None or time.time() > deadline:
            with open(log.name, encoding="utf-8") as text:
                raise RuntimeError("%s does not serve:\n%s" % (stage, text.read()))
        time.sleep(0.05)
